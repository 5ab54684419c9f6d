"""What the paper prints, and the bounds that decide its claims (our choice)."""

#: Table II; SSIM in %.
TABLE_2 = {
    "vanilla_psnr": 24.89,
    "vanilla_ssim": 96.39,
    "semantic_psnr": 25.10,
    "semantic_ssim": 95.82,
}
#: Section IV; SSIM in %.
ATTACK = {"adversarial/psnr": 39.93, "adversarial/ssim": 96.55}

#: Of Table II: semantic minus vanilla, dB and points.
DIFFERENCE = {"psnr": 0.21, "ssim": -0.57}
#: Differences of PSNR (dB) and SSIM (points) that count as next to nothing.
PSNR_MARGIN, SSIM_MARGIN = 0.5, 1.0
#: Least change that separates classes better: error of a linear classifier, in % of
#: itself; k-means NMI of the code; silhouette of its t-SNE map.
PROBE_ERROR_CHANGE, NMI_RISE, MAP_RISE = -25.0, 0.1, 0.15
#: Largest loss of 10-NN accuracy (points) that counts as none.
KNN_MARGIN = 0.5
#: PSNR (dB) that the mean image does not reach.
PLATEAU = 18.0
#: From which on an adversarial image looks like the original: dB, %.
LEAST_PSNR, LEAST_SSIM = 35.0, 95.0
#: Share of the way to the attacker's code, from which on eq. (7) holds, and that is
#: left, up to which it does.
PROJECTION, REMAINING = 0.5, 0.5
#: Error of eq. (3) in units of the spread of the codes: below the first it holds, above
#: the second it does not.
INVERSE = (0.1, 0.5)
#: Least changes of the codes that matter, also beyond a control: error of a linear
#: classifier (points), logarithm of the ratio of variances.
PROBE_ERROR_RISE, LOG_VARIANCE_RATIO = 1.0, 0.1
#: Accuracy in % of a classifier that tells adversarial from clean codes, from which on
#: they are shifted. No control can be exceeded by much where both are near 100.
TWO_SAMPLE_ACCURACY = 60.0
