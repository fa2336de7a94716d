# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the jobs, with one Segmenter that is kept for all of them."""
from __future__ import annotations

import os
import platform
import shutil
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, Sequence

import fanet_ros
from fanet_ros.atomic_file import write_json
from fanet_ros.bags.camera_reader import BagImage, CameraReader
from fanet_ros.bags.errors import BagError
from fanet_ros.bags.remote_path import any_path
from fanet_ros.bags.topics import Camera, choose_cameras
from fanet_ros.error_text import error_text, typed_error_text
from fanet_ros.in_order import in_order, thread_count
from fanet_ros.inference import Segmentation, Segmenter
from fanet_ros.inference.segmentation import SegmentationError
from fanet_ros.tools.segment_bag.journal import encoded
from fanet_ros.tools.segment_bag.output import write_bag
from fanet_ros.tools.segment_bag.run import STORAGES
from fanet_ros.tools.segment_bag.segmented import segmented
from fanet_ros.tools.segment_bags.bag_folder import BagFolder, Masks
from fanet_ros.tools.segment_bags.done import DONE, file_sha256
from fanet_ros.tools.segment_bags.jobs import Bag, Begin, Begun, Finished, Job, Outcome, Segment, Segmented, Settings, Unit
from fanet_ros.tools.segment_bags.rows import RowFile, count_rows, read_rows, row_of
from fanet_ros.tools.segment_bags.store import move_into_place
from fanet_ros.tools.segment_bags.table import write_table
from fanet_ros.tools.segment_bags.units import cut


class Worker:
    """Runs one job at a time.

    :raises SegmentationError: the checkpoint is missing on this machine or differs, or cannot be run with these options
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        checkpoint = Path(settings.checkpoint)
        if not checkpoint.is_file() or file_sha256(checkpoint) != settings.checkpoint_sha256:
            raise SegmentationError(f'{checkpoint} on {platform.node()} is missing or not the requested checkpoint: put it into '
                                    'a folder that all machines share, or install the same fanet_ros on all')
        self._segmenter = Segmenter.from_checkpoint(checkpoint, settings.options)
        self._threads = thread_count(0, self._segmenter.device.type)        # that decode images and encode masks

    def describe(self) -> dict[str, Any]:
        """Machine, process, version of fanet_ros and engine of this worker."""
        return {'node': platform.node(), 'process': os.getpid(), 'version': fanet_ros.__version__,
                'segmenter': self._segmenter.description}

    def run(self, job: Job) -> Outcome:
        """Run a job. Errors are returned in the outcome, not raised, since other bags may be fine."""
        begun_s = time.monotonic()
        outcome = self._outcome(job)
        return replace(outcome, worker=f'{platform.node()} {os.getpid()}', seconds=time.monotonic() - begun_s)

    def _outcome(self, job: Job) -> Outcome:
        try:
            if isinstance(job, Begin):
                return Outcome(job, self._begin(job.bag))
            if isinstance(job, Segment):
                return Outcome(job, self._segment_alone(job.bag, job.unit))
            with CameraReader(job.bag.input) as reader:
                return Outcome(job, self._assemble(job.bag, BagFolder(job.bag, self._settings), reader, self._cameras(reader)))
        except (BagError, SegmentationError) as error:
            return Outcome(job, error=error_text(error))
        except OSError as error:
            where = f' ({error.filename})' if error.filename else ''
            return Outcome(job, error=f'{error.strerror or error}{where}')
        except Exception as error:      # concerns one bag, not the archive
            return Outcome(job, error=typed_error_text(error))

    def _begin(self, bag: Bag) -> Begun | Finished:
        folder = BagFolder(bag, self._settings)
        with CameraReader(bag.input) as reader:
            cameras = self._cameras(reader)
            images = reader.count(cameras)
            plan = folder.plan()
            if plan is None:
                remembers = self._segmenter.metadata.temporal_frames > 1
                folder.store_plan(images, cut(reader, images, self._settings, remembers))
            units = folder.units()
            if len(units) > 1:
                return Begun(images, units)
            done = self._segment(reader, cameras, folder, units[0])
            return self._assemble(bag, folder, reader, cameras, done.made)

    def _segment_alone(self, bag: Bag, unit: Unit) -> Segmented:
        folder = BagFolder(bag, self._settings)
        with CameraReader(bag.input) as reader:
            if unit not in folder.units():
                raise BagError(f'{bag.input} was cut into other units in the meantime: run the same command again')
            return self._segment(reader, self._cameras(reader), folder, unit)

    def _cameras(self, reader: CameraReader) -> tuple[Camera, ...]:
        """The cameras to segment; reads an image of each topic."""
        return choose_cameras(reader.list_topics(), self._settings.topics)

    def _segment(self, reader: CameraReader, cameras: Sequence[Camera], folder: BagFolder, unit: Unit) -> Segmented:
        """Segment all images of a unit that its journal lacks."""
        classes, table = len(self._segmenter.class_map), self._settings.table
        self._segmenter.forget()        # the previous unit may be of another bag
        with ExitStack() as stack:
            journal = stack.enter_context(folder.journal(unit))
            if table and (complete := count_rows(folder.rows(unit))) < journal.done:    # masks without their rows: a power cut
                journal.keep(complete)
            rows = stack.enter_context(RowFile(folder.rows(unit), journal.done))
            before = journal.done

            def kept(item: tuple[BagImage, Optional[Segmentation]]) -> tuple[str, Optional[dict[str, Any]], bytes]:
                image, segmentation = item
                if segmentation is None:
                    return image.reason, None, b''
                return '', row_of(image, segmentation, classes) if table else None, encoded(segmentation.labels)
            images = reader.images(cameras, before, start=unit.start, stop=unit.stop, threads=self._threads)
            for reason, row, mask in in_order(kept, segmented(images, self._segmenter, confidence=table), self._threads):
                if table or reason:
                    rows.add(row)
                if reason:
                    journal.add_reason(reason)
                else:
                    journal.add_encoded(mask)
            return Segmented(journal.done, journal.done - before)

    def _assemble(self, bag: Bag, folder: BagFolder, reader: CameraReader, cameras: Sequence[Camera], made: int = 0) -> Finished:
        """Write the new bag from its units in the work folder, then move it to its output path."""
        units = folder.units()
        target, class_map = folder.new_bag, self._segmenter.class_map
        shutil.rmtree(target.parent, ignore_errors=True)      # left by an interrupted attempt
        with closing(Masks(folder, units)) as masks:
            count = write_bag(target, reader, cameras, masks, class_map, reader.node_outputs(),
                              STORAGES[self._settings.storage], lambda: None, as_png=self._settings.as_png)
            masks.check_end(reader.count(cameras))
        if self._settings.table:
            name = f'{self._settings.checkpoint_name} {self._settings.checkpoint_sha256[:12]}'
            rows = write_table(target, read_rows([folder.rows(item) for item in units]), class_map.names,
                               bag.name, name)
            if rows != count:
                raise BagError(f'{count} masks but {rows} table rows: remove {folder.path} and run the same command again')
        finished = Finished(masks.count, count, made, masks.reasons)
        write_json(target / DONE, {
            'input': folder.input_digest, 'key': self._settings.key, 'bytes': bag.size_bytes, 'images': finished.images,
            'masks': count, 'without_mask': finished.reasons, 'table': self._settings.table,
            'checkpoint': {'name': self._settings.checkpoint_name, 'sha256': self._settings.checkpoint_sha256},
            'segmenter': self._segmenter.description, 'version': fanet_ros.__version__}, is_durable=True)
        BagFolder(bag, self._settings).units()      # raises if the input bag has changed since it was read
        move_into_place(target, any_path(bag.output), bag.replace)
        folder.remove()
        return finished
