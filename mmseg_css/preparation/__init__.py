"""What is done once, before a training: data sets, lists of labelled images, configs for data of one's own."""
