"""What medxray finds of itself and of the machine, and what is missing. No TensorFlow in this process."""
