"""Bounds that decide the claims: least relevant sizes, chosen before the runs."""

# Adversarial images, percentage points of images.
BEYOND_NOISE = 10.0
STALLED = 10.0
TRANSFERRED = 5.0
SURER = 5.0  # of probability

# Domain-adversarial training, percentage points.
HIDDEN = 30.0  # fall of the nuisance found
DIGITS_LOST = 2.0
UNBIASED = 1.0
UNDERRATED = 5.0

# Speech, percentage points.
SPEAKER_HIDDEN = 10.0  # fall of the speakers found
UNSEEN_SPEAKER = 2.0  # fall of the letters that are wrong
LETTERS_LOST = 2.0  # rise of the letters that are wrong, of known speakers

# Autoencoders and PCA.
LINEAR_EXCESS = 1.0  # %, error of a linear autoencoder beside that of PCA
ANGLE = 0.1  # radians, between their subspaces
ROTATED = 0.1  # correlation of two entries of a code
DEEP_GAIN = -10.0  # %, error of a deep autoencoder beside that of PCA
LEARNT = 1.0  # %, error that is left on images learnt by heart
TORN = 10.0  # times the median error, of the worst place of a strip
WORSE = 5.0  # %, rise of the error on other images

# Variational autoencoders.
LATENTS = 0.5  # used latents beside the number of eigenvalues above 1: as many
MINIMUM = 1.0  # %, loss of a linear one beside its minimum
SHARE = 5.0  # percentage points of samples that a classifier is sure of

# Generative adversarial networks.
MODES = 1.0  # of 8
ALL_MODES = 7.5  # of 8

# Data augmentation, percentage points.
GAIN = 1.0  # of accuracy
FLIPPED = 5.0  # more fakes of another class
FEWER_FLIPS = 1.0  # that still count as no fewer
FILTERED = 1.0  # fewer of them
