"""Kuang, Liu, Wu and Ji 2023, "Semantic constraint adversarial robust learning".

`printed` holds the numbers that another paper printed of it and the bounds of the
claims, `runs` the networks and attacks. `features` reads what attacks kept of features,
and `observations` makes the artefact of Figs. 1 and 2. `accuracies` reads what attacks
left of accuracies; `robustness` makes the artefact of procedures, `ablation` that of
terms of the loss and of words.

    ./reproduce.sh scarl2023_robustness --words_file=glove.6B.50d.txt
"""
