"""What a cascade asks of any architecture: six operations on named numbers, placed one after another."""
