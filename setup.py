import ast
import pathlib
import re

from setuptools import find_packages, setup

_HERE = pathlib.Path(__file__).parent
#: Where the checkout can be read; relative links of README are resolved against it.
_URL = "https://example.org/tfsemae"


def _version() -> str:
    # Read, not imported: the dependencies are not there yet.
    tree = ast.parse((_HERE / "tfsemae/__init__.py").read_text("utf-8"))
    return next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"
    )


def _description() -> str:
    """README with absolute links: a package index does not hold the files."""
    text = (_HERE / "README.md").read_text("utf-8")
    return re.sub(r'(\]\(|(?:src|href)=")(?![a-z]+:|#)', rf"\1{_URL}/", text)


setup(
    name="tfsemae",
    version=_version(),
    description="Autoencoders and adversarial robustness: five papers in Keras 3, "
    "each printed number beside the measured one",
    long_description=_description(),
    long_description_content_type="text/markdown",
    url=_URL,
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["tfsemae", "tfsemae.*"]),
    package_data={
        "tfsemae": ["py.typed"],
        "tfsemae.reports": ["templates/*", "texts/*.md"],
        "tfsemae.experiments": ["Snakefile"],
    },
    python_requires=">=3.11,<3.14",
    # The tests ran with both ends: constraints/oldest.txt and constraints/newest.txt.
    install_requires=[
        "absl-py>=2.1,<3",
        "greenlet>=3.1,<4",
        "importlib_resources>=6.4",  # tensorflow-datasets needs it unsaid
        "jinja2>=3.1.4,<4",
        "keras>=3.11,<3.16",
        "markdown-it-py>=3.0,<5",
        "matplotlib>=3.10,<3.12",
        "numpy>=2.0.2,<2.6",
        "pillow>=11,<14",
        "protobuf>=6.32,<8",  # so does tensorflow-metadata; 6.31 warns with TF 2.20
        "pydantic>=2.10,<3",
        "scikit-learn>=1.6,<1.10",
        "scipy>=1.15,<1.19",
        "tensorboard>=2.20,<2.22",
        "tensorflow>=2.20,<2.22",
        "tensorflow-datasets>=4.9.8,<4.10",
        "tensorflow-probability[tf]>=0.25,<0.26",
        "threadpoolctl>=3.5,<4",
        "tqdm>=4.67,<5",
    ],
    extras_require={
        "reproduce": ["snakemake>=9.0,<10"],
        "docs": [
            "furo>=2024.8.6",
            "myst-parser>=4,<6",
            "sphinx>=8.1,<10",
            "sphinx-gallery>=0.19,<0.23",
        ],
        "test": [
            "tfsemae[docs,reproduce]",
            "build>=1.2.2,<2",
            "hypothesis>=6.120,<7",
            "import-linter>=2.3,<3",
            "mypy==2.4.1",
            "packaging>=24.2",
            "pytest>=8.4,<10",
            "pytest-xdist>=3.7,<4",
            "ruff==0.17.6",
            "scikit-image>=0.25,<0.27",
            "setuptools>=77.0.3",
            "snakemake-executor-plugin-cluster-generic>=1.0.9,<2",
            "twine>=6.1,<7",
        ],
        "bench": [
            "adversarial-robustness-toolbox>=1.20,<2",
            "eagerpy>=0.30,<0.31",
            "foolbox>=3.3.4,<4",
            "lpips>=0.1.4,<0.2",
            "piq>=0.8,<0.9",
            "torch>=2.13,<2.15",
            "torchmetrics>=1.9,<2",
        ],
        "cuda": ["tensorflow[and-cuda]"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
