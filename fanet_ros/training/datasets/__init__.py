# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled images for training and evaluation, read when they are needed: one file for each layout on disk."""
from fanet_ros.training.datasets.folder import load_folder
from fanet_ros.training.datasets.sample import UNLABELLED, DatasetError, Sample
from fanet_ros.training.datasets.samples import Entry, SampleCache, Samples

__all__ = ['UNLABELLED', 'DatasetError', 'Entry', 'Sample', 'SampleCache', 'Samples', 'load_folder']
