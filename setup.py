"""Packs data/sample into the package as medxray.sample, and what the report is made of; setup.cfg says all else."""

from setuptools import find_packages, setup

SAMPLE = "medxray.sample"
REPORT = ["template/*", "template/plotly/*"]

setup(
    packages=[*find_packages(include=["medxray*"]), SAMPLE],
    package_dir={SAMPLE: "data/sample"},
    package_data={SAMPLE: ["README.md", "*/*.jpeg"], "medxray.report": REPORT},
)
