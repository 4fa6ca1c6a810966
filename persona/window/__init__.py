"""What goes to the model: sections, budget, anchor, fit, counting. Pure: values in, values out."""
