"""ECE 417, lecture 22 (Hasegawa-Johnson, University of Illinois, 8 November 2018).

`runs` holds the trainings, `bounds` what decides the claims; `adversarial_images`,
`domain_adversarial`, `pca`, `vae`, `gan`, `augmentation` and `speech`, of which
`speech_runs` has the trainings, make an artefact each.

    ./reproduce.sh ece417_adversarial_images ece417_domain_adversarial
    ./reproduce.sh ece417_pca ece417_vae ece417_gan ece417_augmentation ece417_speech
"""
