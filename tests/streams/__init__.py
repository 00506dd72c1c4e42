"""What streams decide, case by case."""
