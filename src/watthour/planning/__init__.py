"""When to run what: plans of appliances, batteries, cars and heat, and what electricity costs."""
