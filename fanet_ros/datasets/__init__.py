# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled images for training and evaluation, loaded on demand: one module per layout on disk."""
from fanet_ros.datasets.folder import load_folder
from fanet_ros.datasets.sample import UNLABELLED, DatasetError, Sample
from fanet_ros.datasets.samples import Entry, SampleCache, Samples

__all__ = ['UNLABELLED', 'DatasetError', 'Entry', 'Sample', 'SampleCache', 'Samples', 'load_folder']
