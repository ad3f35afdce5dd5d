"""From a language to a cascade: the one road, and the routes that it chooses from."""
