import torch
from tests.conftest import made_up_images

from fashion_dgm.classifier.network import Classifier, accuracy
from fashion_dgm.classifier.training import ClassifierStep
from fashion_dgm.config import AdamWConfig, ClassifierConfig, ScheduleConfig

CONFIG = ClassifierConfig(
    epochs=1,
    batch_size=32,
    seed=0,
    device="cpu",
    precision="float32",
    width=4,
    feature_dim=16,
    optimizer=AdamWConfig(name="adamw", learning_rate=1e-2, weight_decay=0.01),
    schedule=ScheduleConfig(warmup_steps=5, final_step=60),
    flip=False,
    max_shift=1,
    label_smoothing=0.1,
)


def test_learns_images_it_has_not_seen() -> None:
    train, test = made_up_images(320, 0), made_up_images(100, 1)
    torch.manual_seed(0)
    step = ClassifierStep(CONFIG, torch.device("cpu"), torch.float32)
    images, labels = torch.from_numpy(train.images), torch.from_numpy(train.labels).long()
    for _ in range(6):
        for index in torch.randperm(320).view(-1, 32):
            step.step(images[index], labels[index])
    assert accuracy(step.classifier, torch.from_numpy(test.images), torch.from_numpy(test.labels)) > 0.9


def test_accuracy_of_a_constant_answer_is_the_frequency_of_its_class() -> None:
    network = Classifier(width=2, feature_dim=4)
    torch.nn.init.zeros_(network.head.weight)
    with torch.no_grad():
        network.head.bias.copy_(torch.eye(10)[3])
    images = made_up_images(50, 0)
    expected = (images.labels == 3).mean()
    assert accuracy(network, torch.from_numpy(images.images), torch.from_numpy(images.labels), 7) == expected
    assert network.training
