"""A model that comes with Watthour: learned from homes elsewhere, told of this one only what is known."""
