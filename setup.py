"""Packs data/sample into the package as medxray.sample; all else is said in setup.cfg."""

from setuptools import find_packages, setup

SAMPLE = "medxray.sample"

setup(
    packages=[*find_packages(include=["medxray*"]), SAMPLE],
    package_dir={SAMPLE: "data/sample"},
    package_data={SAMPLE: ["README.md", "*/*.jpeg"]},
)
