"""What learners hand in, right and wrong, with labels that are proven: it judges the gradient doctor."""
