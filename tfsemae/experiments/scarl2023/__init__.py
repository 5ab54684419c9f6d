"""Kuang, Liu, Wu and Ji 2023, "Semantic constraint adversarial robust learning".

`printed` holds the numbers that another paper printed of it and the bounds of the
claims, `runs` the networks and attacks. `features` reads what attacks kept of features,
`observations` makes the artefact of Figs. 1 and 2.

    ./reproduce.sh scarl2023_observations --words_file=glove.6B.50d.txt
"""
