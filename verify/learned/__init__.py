"""What can be said of a model that was learned: what theory expects, where it fades, what it holds."""
