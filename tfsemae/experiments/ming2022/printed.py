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

#: Differences of PSNR (dB) and SSIM (points) that count as next to nothing.
PSNR_MARGIN, SSIM_MARGIN = 0.5, 1.0
#: PSNR (dB) that the mean image does not reach.
PLATEAU = 18.0
#: From which on an adversarial image looks like the original: dB, %.
LEAST_PSNR, LEAST_SSIM = 35.0, 95.0
#: Remaining distance of eq. (7): below the first it holds, above the second not.
REMAINING = (0.5, 0.9)
#: Error of eq. (3), likewise.
INVERSE = (0.1, 0.5)
#: Differences to a control that count as none.
NO_DIFFERENCE = {"silhouette": 0.01, "knn_accuracy": 1.0}
