"""What others published: the figures that ours are held against, and where they were read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = [
    "ARJOVSKY_2017",
    "ARJOVSKY_BOTTOU_2017",
    "BEHRMANN_2019",
    "BINKOWSKI_2018",
    "BROCK_2019",
    "CHEN_2019",
    "CHOI_2019",
    "CHONG_2020",
    "CORNISH_2020",
    "DINH_2017",
    "GASSER_1986",
    "GOODFELLOW_2014",
    "GRATHWOHL_2020",
    "GULRAJANI_2017",
    "HEUSEL_2017",
    "HO_2019",
    "HUTCHINSON_1990",
    "KAMKARI_2024",
    "KIRICHENKO_2020",
    "KYNKAANNIEMI_2019",
    "LEE_2018",
    "LUCIC_2018",
    "MEEHAN_2020",
    "MORNINGSTAR_2021",
    "NAEEM_2020",
    "NALISNICK_2019",
    "NALISNICK_2019B",
    "PUBLISHED_AUROC_MNIST",
    "PUBLISHED_BEST_AUROC",
    "PUBLISHED_BITS_PER_DIM",
    "PUBLISHED_FID",
    "PUBLISHED_REALNVP",
    "RADFORD_2016",
    "RAO_WU_1988",
    "REN_2019",
    "SEED_NOISE_FID",
    "SERRA_2020",
    "SHOEMAKE_1985",
    "SUN_2022",
    "THEIS_2016",
    "TOLA_2010",
    "XIAO_2017",
    "PublishedFigure",
]

ARJOVSKY_2017 = "Arjovsky, M., Chintala, S. and Bottou, L. (2017). Wasserstein generative adversarial networks. ICML."
BINKOWSKI_2018 = "Binkowski, M., Sutherland, D. J., Arbel, M. and Gretton, A. (2018). Demystifying MMD GANs. ICLR."
ARJOVSKY_BOTTOU_2017 = (
    "Arjovsky, M. and Bottou, L. (2017). Towards principled methods for training generative adversarial networks. ICLR."
)
BROCK_2019 = (
    "Brock, A., Donahue, J. and Simonyan, K. (2019). Large scale GAN training for high fidelity natural image synthesis. "
    "ICLR."
)
BEHRMANN_2019 = (
    "Behrmann, J., Grathwohl, W., Chen, R. T. Q., Duvenaud, D. and Jacobsen, J.-H. (2019). Invertible residual networks. "
    "ICML."
)
CHEN_2019 = (
    "Chen, R. T. Q., Behrmann, J., Duvenaud, D. and Jacobsen, J.-H. (2019). Residual flows for invertible generative "
    "modeling. NeurIPS."
)
CHONG_2020 = (
    "Chong, M. J. and Forsyth, D. (2020). Effectively unbiased FID and Inception Score and where to find them. CVPR."
)
CORNISH_2020 = (
    "Cornish, R., Caterini, A. L., Deligiannidis, G. and Doucet, A. (2020). Relaxing bijectivity constraints with "
    "continuously indexed normalising flows. ICML."
)
DINH_2017 = "Dinh, L., Sohl-Dickstein, J. and Bengio, S. (2017). Density estimation using Real NVP. ICLR."
GASSER_1986 = (
    "Gasser, T., Sroka, L. and Jennen-Steinmetz, C. (1986). Residual variance and residual pattern in nonlinear "
    "regression. Biometrika 73."
)
GOODFELLOW_2014 = "Goodfellow, I. et al. (2014). Generative adversarial nets. NeurIPS."
GULRAJANI_2017 = "Gulrajani, I. et al. (2017). Improved training of Wasserstein GANs. NeurIPS."
HEUSEL_2017 = (
    "Heusel, M. et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium. "
    "NeurIPS."
)
HO_2019 = (
    "Ho, J. et al. (2019). Flow++: Improving flow-based generative models with variational dequantization and "
    "architecture design. ICML."
)
HUTCHINSON_1990 = (
    "Hutchinson, M. F. (1990). A stochastic estimator of the trace of the influence matrix for Laplacian smoothing "
    "splines. Communications in Statistics: Simulation and Computation 19."
)
KAMKARI_2024 = (
    "Kamkari, H. et al. (2024). A geometric explanation of the likelihood out-of-distribution detection paradox. ICML."
)
KIRICHENKO_2020 = (
    "Kirichenko, P., Izmailov, P. and Wilson, A. G. (2020). Why normalizing flows fail to detect out-of-distribution "
    "data. NeurIPS."
)
KYNKAANNIEMI_2019 = (
    "Kynkäänniemi, T., Karras, T., Laine, S., Lehtinen, J. and Aila, T. (2019). Improved precision and recall metric for "
    "assessing generative models. NeurIPS."
)
LUCIC_2018 = "Lucic, M. et al. (2018). Are GANs created equal? A large-scale study. NeurIPS."
MEEHAN_2020 = (
    "Meehan, C., Chaudhuri, K. and Dasgupta, S. (2020). A non-parametric test to detect data-copying in generative models. "
    "AISTATS."
)
NAEEM_2020 = (
    "Naeem, M. F., Oh, S. J., Uh, Y., Choi, Y. and Yoo, J. (2020). Reliable fidelity and diversity metrics for generative "
    "models. ICML."
)
NALISNICK_2019 = "Nalisnick, E. et al. (2019). Do deep generative models know what they don't know? ICLR."
RADFORD_2016 = (
    "Radford, A., Metz, L. and Chintala, S. (2016). Unsupervised representation learning with deep convolutional "
    "generative adversarial networks. ICLR."
)
RAO_WU_1988 = (
    "Rao, J. N. K. and Wu, C. F. J. (1988). Resampling inference with complex survey data. Journal of the American "
    "Statistical Association 83."
)
REN_2019 = (
    "Ren, J. et al. (2019). Likelihood ratios for out-of-distribution detection. NeurIPS. Figures for PixelCNN++ as "
    "given by the likelihood-ratio example of alibi-detect."
)
SERRA_2020 = (
    "Serrà, J. et al. (2020). Input complexity and out-of-distribution detection with likelihood-based generative models. "
    "ICLR."
)
SHOEMAKE_1985 = "Shoemake, K. (1985). Animating rotation with quaternion curves. SIGGRAPH."
THEIS_2016 = "Theis, L., van den Oord, A. and Bethge, M. (2016). A note on the evaluation of generative models. ICLR."
XIAO_2017 = (
    "Xiao, H., Rasul, K. and Vollgraf, R. (2017). Fashion-MNIST: a novel image dataset for benchmarking machine "
    "learning algorithms. arXiv:1708.07747."
)


CHOI_2019 = (
    "Choi, H., Jang, E. and Alemi, A. A. (2019). WAIC, but why? Generative ensembles for robust anomaly detection. "
    "arXiv:1810.01392."
)
GRATHWOHL_2020 = (
    "Grathwohl, W. et al. (2020). Your classifier is secretly an energy based model and you should treat it like one. "
    "ICLR."
)
LEE_2018 = (
    "Lee, K., Lee, K., Lee, H. and Shin, J. (2018). A simple unified framework for detecting out-of-distribution samples "
    "and adversarial attacks. NeurIPS."
)
MORNINGSTAR_2021 = (
    "Morningstar, W. et al. (2021). Density of states estimation for out-of-distribution detection. AISTATS. Figures of "
    "DoSE and for flips as Table 1 of the LPath paper gives them."
)
NALISNICK_2019B = (
    "Nalisnick, E., Matsukawa, A., Teh, Y. W. and Lakshminarayanan, B. (2019b). Detecting out-of-distribution inputs to "
    "deep generative models using typicality. arXiv:1906.02994."
)
SERRA_2020 = (
    "Serrà, J. et al. (2020). Input complexity and out-of-distribution detection with likelihood-based generative models. "
    "ICLR."
)
SUN_2022 = (
    "Sun, Y., Ming, Y., Zhu, X. and Li, Y. (2022). Out-of-distribution detection with deep nearest neighbors. ICML."
)
TOLA_2010 = (
    "Tola, E., Lepetit, V. and Fua, P. (2010). DAISY: an efficient dense descriptor applied to wide-baseline stereo. IEEE "
    "TPAMI 32."
)


class PublishedFigure(NamedTuple):
    """A published value, ready to print, and where it was read in short; the list of references has it in full."""

    model: str
    value: str
    cite: str


PUBLISHED_REALNVP = 2.944
"""Bits per dimension of RealNVP on FashionMNIST's official test images (Cornish et al., 2020, Table 2)."""

PUBLISHED_BITS_PER_DIM = (
    PublishedFigure(
        "RealNVP, 4 residual blocks, 2.99\u00a0M parameters",
        "2.944 ± 0.003",
        "Cornish et al. (2020)",
    ),
    PublishedFigure(
        "RealNVP, 8 residual blocks, 5.94\u00a0M parameters",
        "2.946 ± 0.002",
        "Cornish et al. (2020)",
    ),
    PublishedFigure("LGF-RealNVP, 5.99\u00a0M parameters (a bound)", "2.823 ± 0.003", "Cornish et al. (2020)"),
)

PUBLISHED_AUROC_MNIST = (
    PublishedFigure("PixelCNN++, raw likelihood", "0.103", "alibi-detect, after Ren et al. (2019)"),
    PublishedFigure("Diffusion model, raw likelihood", "0.240", "Kamkari et al. (2024)"),
    PublishedFigure("PixelCNN++, likelihood ratio", "0.957", "alibi-detect, after Ren et al. (2019)"),
)

_LPATH = "LPath paper, Table 1"
_KAMKARI = "Kamkari et al. (2024)"
PUBLISHED_BEST_AUROC = {
    "mnist": (PublishedFigure("DoSE", "1.00", _LPATH),),
    "fashion_mnist_vertical_flip": (PublishedFigure("any method, at most", "0.89", _LPATH),),
    "fashion_mnist_horizontal_flip": (PublishedFigure("any method, about", "0.66", _LPATH),),
    "emnist_letters": (PublishedFigure("LID and likelihood", "0.568", _KAMKARI),),
    "omniglot": (PublishedFigure("LID and likelihood", "0.959", _KAMKARI),),
}
"""The best AUROC on each set, of single images, that was read where it was published."""

SEED_NOISE_FID = 2.0
"""Gaps in FID below about this are noise between seeds: standard deviations of Lucic et al. are 0.9 to 2.2."""

PUBLISHED_FID = (
    PublishedFigure("Non-saturating GAN, best of a large search", "26.5 ± 1.6", "Lucic et al. (2018)"),
    PublishedFigure("WGAN, best of a large search", "21.5 ± 1.6", "Lucic et al. (2018)"),
    PublishedFigure("WGAN-GP, best of a large search", "24.5 ± 2.1", "Lucic et al. (2018)"),
)
