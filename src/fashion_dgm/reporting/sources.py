"""The list of references, for chapters to choose from."""

from __future__ import annotations

__all__ = [
    "ARJOVSKY_2017",
    "ARJOVSKY_BOTTOU_2017",
    "BEHRMANN_2019",
    "BINKOWSKI_2018",
    "BROCK_2019",
    "BURDA_2016",
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
    "HUANG_2024",
    "HUTCHINSON_1990",
    "KAMKARI_2024",
    "KIRICHENKO_2020",
    "KYNKAANNIEMI_2019",
    "LEE_2018",
    "LUCIC_2018",
    "MEEHAN_2020",
    "MESCHEDER_2018",
    "MIYATO_2018",
    "MORNINGSTAR_2021",
    "NAEEM_2020",
    "NALISNICK_2019",
    "NALISNICK_2019B",
    "RADFORD_2016",
    "REN_2019",
    "SERRA_2020",
    "SHOEMAKE_1985",
    "SUN_2022",
    "THEIS_2016",
    "TOLA_2010",
    "XIAO_2017",
]

ARJOVSKY_2017 = "Arjovsky, M., Chintala, S. and Bottou, L. (2017). Wasserstein generative adversarial networks. ICML."
ARJOVSKY_BOTTOU_2017 = (
    "Arjovsky, M. and Bottou, L. (2017). Towards principled methods for training generative adversarial networks. ICLR."
)
BEHRMANN_2019 = (
    "Behrmann, J., Grathwohl, W., Chen, R. T. Q., Duvenaud, D. and Jacobsen, J.-H. (2019). Invertible residual networks. "
    "ICML."
)
BINKOWSKI_2018 = "Binkowski, M., Sutherland, D. J., Arbel, M. and Gretton, A. (2018). Demystifying MMD GANs. ICLR."
BROCK_2019 = (
    "Brock, A., Donahue, J. and Simonyan, K. (2019). Large scale GAN training for high fidelity natural image synthesis. "
    "ICLR."
)
BURDA_2016 = "Burda, Y., Grosse, R. and Salakhutdinov, R. (2016). Importance weighted autoencoders. ICLR."
CHEN_2019 = (
    "Chen, R. T. Q., Behrmann, J., Duvenaud, D. and Jacobsen, J.-H. (2019). Residual flows for invertible generative "
    "modeling. NeurIPS."
)
CHOI_2019 = (
    "Choi, H., Jang, E. and Alemi, A. A. (2019). WAIC, but why? Generative ensembles for robust anomaly detection. "
    "arXiv:1810.01392."
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
GRATHWOHL_2020 = (
    "Grathwohl, W. et al. (2020). Your classifier is secretly an energy based model and you should treat it like one. "
    "ICLR."
)
GULRAJANI_2017 = "Gulrajani, I. et al. (2017). Improved training of Wasserstein GANs. NeurIPS."
HEUSEL_2017 = (
    "Heusel, M. et al. (2017). GANs trained by a two time-scale update rule converge to a local Nash equilibrium. "
    "NeurIPS."
)
HO_2019 = (
    "Ho, J. et al. (2019). Flow++: Improving flow-based generative models with variational dequantization and "
    "architecture design. ICML."
)
HUANG_2024 = (
    "Huang, S., He, J. and Lui, K. Y. C. (2024). Rethinking test-time likelihood: the likelihood path principle and its "
    "application to OOD detection. arXiv:2401.04933."
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
LEE_2018 = (
    "Lee, K., Lee, K., Lee, H. and Shin, J. (2018). A simple unified framework for detecting out-of-distribution samples "
    "and adversarial attacks. NeurIPS."
)
LUCIC_2018 = "Lucic, M. et al. (2018). Are GANs created equal? A large-scale study. NeurIPS."
MEEHAN_2020 = (
    "Meehan, C., Chaudhuri, K. and Dasgupta, S. (2020). A non-parametric test to detect data-copying in generative models. "
    "AISTATS."
)
MESCHEDER_2018 = (
    "Mescheder, L., Geiger, A. and Nowozin, S. (2018). Which training methods for GANs do actually converge? ICML."
)
MORNINGSTAR_2021 = (
    "Morningstar, W. et al. (2021). Density of states estimation for out-of-distribution detection. AISTATS."
)
MIYATO_2018 = (
    "Miyato, T., Kataoka, T., Koyama, M. and Yoshida, Y. (2018). Spectral normalization for generative adversarial "
    "networks. ICLR."
)
NAEEM_2020 = (
    "Naeem, M. F., Oh, S. J., Uh, Y., Choi, Y. and Yoo, J. (2020). Reliable fidelity and diversity metrics for generative "
    "models. ICML."
)
NALISNICK_2019 = "Nalisnick, E. et al. (2019). Do deep generative models know what they don't know? ICLR."
NALISNICK_2019B = (
    "Nalisnick, E., Matsukawa, A., Teh, Y. W. and Lakshminarayanan, B. (2019b). Detecting out-of-distribution inputs to "
    "deep generative models using typicality. arXiv:1906.02994."
)
RADFORD_2016 = (
    "Radford, A., Metz, L. and Chintala, S. (2016). Unsupervised representation learning with deep convolutional "
    "generative adversarial networks. ICLR."
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
SUN_2022 = (
    "Sun, Y., Ming, Y., Zhu, X. and Li, Y. (2022). Out-of-distribution detection with deep nearest neighbors. ICML."
)
THEIS_2016 = "Theis, L., van den Oord, A. and Bethge, M. (2016). A note on the evaluation of generative models. ICLR."
TOLA_2010 = (
    "Tola, E., Lepetit, V. and Fua, P. (2010). DAISY: an efficient dense descriptor applied to wide-baseline stereo. IEEE "
    "TPAMI 32."
)
XIAO_2017 = (
    "Xiao, H., Rasul, K. and Vollgraf, R. (2017). Fashion-MNIST: a novel image dataset for benchmarking machine "
    "learning algorithms. arXiv:1708.07747."
)
