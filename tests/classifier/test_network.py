import torch
from tests.conftest import made_up_images
from tests.small import classifier_config, make_step

from fashion_dgm.classifier.network import Classifier, accuracy

OPTIMIZER, SCHEDULE = (
    {"name": "adamw", "learning_rate": 1e-2, "weight_decay": 0.01},
    {"warmup_steps": 5, "final_step": 60},
)
CONFIG = classifier_config(feature_dim=16, optimizer=OPTIMIZER, schedule=SCHEDULE, flip=False, max_shift=1)


def test_learns_images_it_has_not_seen() -> None:
    train, test = made_up_images(320, 0), made_up_images(100, 1)
    step = make_step(CONFIG)
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
