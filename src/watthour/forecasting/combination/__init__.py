"""Several models that forecast as one: weights and a band that follow how each did on the last weeks."""
