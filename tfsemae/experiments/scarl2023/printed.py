"""Printed results, and the bounds that decide the claims (our choice).

The abstract, the introduction and two captions of the paper were to be had; its tables
were not. The accuracies are those of another paper that trained the method again.
"""

#: Method -> condition -> accuracy (%), CIFAR-10, ResNet-18, 150 epochs, 7 runs.
#: Source: the comparison of DAT, "Generative amplitude mix-up", NeurIPS 2024.
RESNET18 = {
    "scarl": {
        "clean": 80.67,
        "fgsm": 58.32,
        "pgd20": 54.24,
        "pgd100": 54.10,
        "cw20": 51.93,
        "autoattack": 50.45,
    },
    "trades": {
        "clean": 82.41,
        "fgsm": 58.47,
        "pgd20": 52.76,
        "pgd100": 52.47,
        "cw20": 50.43,
        "autoattack": 49.37,
    },
    "pgd": {
        "clean": 82.78,
        "fgsm": 56.94,
        "pgd20": 51.30,
        "pgd100": 50.88,
        "cw20": 49.72,
        "autoattack": 47.63,
    },
}

#: As `RESNET18`, with WRN-34-10.
WIDE_RESNET34 = {
    "scarl": {"clean": 84.41, "pgd100": 57.81, "cw20": 56.21, "autoattack": 54.37},
    "trades": {"clean": 85.54, "pgd100": 56.04, "cw20": 53.91, "autoattack": 53.37},
}

# Bounds that decide the claims, chosen before the runs.
DESTROYED = 0.15  # claim K1, fall of the mean correlation
RESTORED = 0.10  # claim K2
OVERFITTED = 0.05  # claim K3, accuracy under PGD-20 below which fgsm has failed
SIGNIFICANT = 0.05  # claim K4, p of the Mantel test
INVARIANT = 1e-10  # of correlations with other vectors
