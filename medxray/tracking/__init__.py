"""Runs in the programs that people follow trainings with: TensorBoard and MLflow."""
