import pytest

from tfsemae.reports import Choice, Claim, Ledger, NamedWarning, Picture, Row


def make_ledger(artefact="paper_mnist", **changes):
    """Table II of Ming 2022 with measured values made up for these tests."""
    fields = {
        "artefact": artefact,
        "source": "Ming 2022, Table II",
        "scale": "full",
        "command": "./reproduce.sh paper_mnist",
        "revision": "0123456789abcdef0123456789abcdef01234567+",
        "versions": {"python": "3.11.7", "keras": "3.15.1"},
        "machine": {"processor": "A Processor", "cores": 2},
        "seconds": 9060.0,
        "rows": (
            Row(
                id="psnr",
                quantity="PSNR, semantic",
                unit="dB",
                printed=25.10,
                measured=25.35,
                sd=0.125,
                n=5,
                tag="as printed",
                note="whole test set",
            ),
            Row(
                id="silhouette",
                quantity="silhouette",
                unit="",
                printed=None,
                measured=0.0871,
                tag="our choice",
            ),
        ),
        "claims": (
            Claim(
                id="1",
                statement="Labels cost next to nothing.",
                measurement="paired difference of PSNR in dB",
                effect=-1.044,
                low=-1.13,
                high=-0.951,
                verdict="does not hold",
            ),
            Claim(
                id="2",
                statement="Both at once.",
                measurement="does a weight exist",
                effect=None,
                low=None,
                high=None,
                verdict="undecided",
                note="too few seeds",
            ),
        ),
        "pictures": (Picture(file="figure_3.png", caption="Fig. 3: digits. Seed 0."),),
        "choices": (Choice(flag="loss", value="mse", reason="leaves the plateau"),),
        "warnings": (NamedWarning(name="too_weak", text="restarts gain 12 %"),),
    }
    return Ledger(**fields | changes)


@pytest.fixture
def ledger():
    return make_ledger()


@pytest.fixture(name="make_ledger")
def make_ledger_fixture():
    return make_ledger
