import ast
import pathlib

from setuptools import find_packages, setup

_HERE = pathlib.Path(__file__).parent


def _version() -> str:
    # Read, not imported: the dependencies are not there yet.
    tree = ast.parse((_HERE / "tfsemae/__init__.py").read_text("utf-8"))
    return next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"
    )


setup(
    name="tfsemae",
    version=_version(),
    description="Autoencoders and adversarial robustness: five papers in Keras 3, "
    "each printed number beside the measured one",
    long_description=(_HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["tfsemae", "tfsemae.*"]),
    package_data={
        "tfsemae.experiments": ["Snakefile"],
        "tfsemae.reports": ["templates/*", "texts/*.md"],
    },
    python_requires=">=3.11,<3.12",
    # The lower ends were installed together and tested; see requirements_lock.txt.
    install_requires=[
        "absl-py>=2.5.1,<2.6",
        "importlib_resources>=7.1.0,<8",  # tensorflow-datasets needs it unsaid
        "jinja2>=3.1.6,<3.2",
        "keras>=3.15.1,<3.16",
        "markdown-it-py>=4.0,<5",
        "matplotlib>=3.11.2,<3.12",
        "numpy>=2.4.6,<2.5",
        "pillow>=13.0.0,<14",
        "pydantic>=2.7,<3",
        "scikit-learn>=1.9.1,<1.10",
        "scipy>=1.17.1,<1.19",
        "snakemake>=9.27.1,<9.28",
        "tensorboard>=2.21.0,<2.22",
        "tensorflow>=2.21.0,<2.22",
        "tensorflow-datasets>=4.9.10,<4.10",
        "threadpoolctl>=3.8.0,<4",
        "tqdm>=4.70.1,<5",
    ],
    extras_require={
        "test": [
            "hypothesis>=6.170.15,<7",
            "import-linter>=2.16,<3",
            "pytest>=9.2.0,<10",
            "ruff==0.17.6",
            "scikit-image>=0.26.0,<0.27",
            "snakemake-executor-plugin-cluster-generic>=1.0.9,<2",
        ],
        "bench": ["torch>=2.13,<2.14"],
        "cuda": ["tensorflow[and-cuda]>=2.21.0,<2.22"],
    },
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
