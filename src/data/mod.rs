//! Images: from files or made from the seed, to batches ready for the network.
