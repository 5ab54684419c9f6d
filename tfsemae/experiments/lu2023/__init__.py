"""Lu and Chen 2023: generative autoencoders, attacked in the latent space."""
