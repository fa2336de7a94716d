# Copyright 2026 The fanet_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page in headless Chromium, with a real camera and node."""
from __future__ import annotations

import base64
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')
pytest.importorskip('aiohttp')
playwright = pytest.importorskip('playwright.sync_api', reason='needs playwright')

from fanet_ros.msg import ClassMap  # noqa: E402
from rcl_interfaces.srv import SetParametersAtomically  # noqa: E402
from rclpy.parameter import Parameter  # noqa: E402
from sensor_msgs.msg import Image  # noqa: E402

from fanet_ros.ros.dashboard.benchmark_viewers import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES  # noqa: E402
from fanet_ros.ros.segmentation.frame_outputs import LATCHED_QOS  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason='there is no Chromium: apt-get install chromium')
TIMEOUT_S = 120.0
ATTEMPTS = 4        # more than a page makes when it is opened
ROWS = 'fanet_ros.timing.rows.length'
LAST = 'fanet_ros.timing.rows.at(-1)[1]'
FRAME = '(fanet_ros.picture.frame ?? {sequence: 0}).sequence'


def wait(page: Any, expression: str, what: str, holds: Callable[[Any], bool] = bool) -> Any:
    """Wait until `holds` accepts the value of a JavaScript expression; returns it. Polls, because the CSP forbids eval."""
    deadline = time.monotonic() + TIMEOUT_S
    while not holds(value := page.evaluate(expression)):
        assert time.monotonic() < deadline, f'waited for {what}: {value!r}\n{page.inner_text("body")}'
        page.wait_for_timeout(50)
    return value


def text_of(selector: str) -> str:
    return f'document.querySelector({selector!r}).textContent'


class Street:
    """Camera, node and dashboard behind the page."""

    def __init__(self, start: Callable[..., Any], start_segmentation: Callable[[], Any], client: Any, folder: Path) -> None:
        self._start, self._start_segmentation, self.client = start, start_segmentation, client
        start('camera_node', '--ros-args', '-p', f'source:={folder}', '-p', 'rate_hz:=8.0')
        self.start_node()
        self.link = self.start_dashboard()

    def start_node(self) -> None:
        self.node = self._start_segmentation()

    def start_dashboard(self, *parameters: str) -> str:
        """Start a new dashboard, keep it as `dashboard` and return its link."""
        self.dashboard = dashboard = self._start('dashboard', '--ros-args', '-p', 'port:=0', *(
            part for text in parameters for part in ('-p', text)))
        self.client.wait_for(lambda: 'open http' in dashboard.log, 'the link', dashboard)
        return next(word for word in dashboard.log.split() if word.startswith('http://'))


@pytest.fixture(name='street', scope='module')
def street_fixture(start_executable: Callable[..., Any], start_segmentation: Callable[..., Any], client: Any,
                   tmp_path_factory: pytest.TempPathFactory) -> Street:
    folder = tmp_path_factory.mktemp('images')
    noise = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / 'one.png'), cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC))
    return Street(start_executable, start_segmentation, client, folder)


@pytest.fixture(name='browser', scope='module')
def browser_fixture() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(name='open_page')
def open_page_fixture(browser: Any, street: Street) -> Iterator[Callable[..., Any]]:
    """Opens a page in its own context; fails at the end if any page had a JavaScript error."""
    contexts, errors = [], []

    def open_page(link: str = '', context: Any = None, **options: Any) -> Any:
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        page = context.new_page()
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.goto(link or street.link)
        return page
    yield open_page
    for context in contexts:
        context.close()
    assert not errors


@pytest.fixture(name='page')
def page_fixture(open_page: Callable[..., Any]) -> Any:
    """A page that shows an image and has loaded the parameters."""
    page = open_page()
    wait(page, 'Boolean(window.fanet_ros?.picture.mask && fanet_ros.legend.classes.length)', 'a frame with its classes')
    wait(page, 'document.querySelectorAll("#all-parameters .parameter").length', 'the parameters')
    return page


def pixels(page: Any) -> np.ndarray:
    """The canvas as (H, W, 3) uint8 RGB."""
    png = page.evaluate('document.getElementById("picture").toDataURL("image/png")').partition(',')[2]
    bgr = cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def set_slider(page: Any, selector: str, value: float, event: str = 'input') -> None:
    page.eval_on_selector(selector, '(slider, [value, event]) => { slider.value = value; slider.dispatchEvent(new Event(event)); }',
                          [value, event])


def test_the_canvas_shows_the_mask_classes_in_their_colours(page: Any, street: Street) -> None:
    masks = street.client.collect(Image, '/segmentation/mask')
    maps = street.client.collect(ClassMap, '/segmentation/class_map', LATCHED_QOS)
    street.client.wait_for(lambda: bool(masks and maps), 'a mask and its classes', street.node)
    palette = np.zeros((256, 3), np.uint8)
    for number, color in zip(maps[-1].ids, maps[-1].colors):
        palette[number] = [round(255 * value) for value in (color.r, color.g, color.b)]
    mask = np.frombuffer(masks[-1].data, np.uint8).reshape(masks[-1].height, masks[-1].width)
    assert len(np.unique(mask)) > 3
    set_slider(page, '#alpha', 100)
    assert np.array_equal(pixels(page), palette[mask])      # the camera image is constant, and so is the mask
    shares = page.evaluate('Array.from(fanet_ros.picture.shares)')
    assert shares == np.bincount(mask.ravel(), minlength=256).tolist()
    largest = int(np.argmax(shares))
    shown = page.inner_text(f'#legend li[data-class="{maps[-1].names[largest]}"] .part')
    assert shown == f'{100 * shares[largest] / mask.size:.1f} %'


def test_blending_hiding_and_colouring_need_no_round_trip(page: Any) -> None:
    page.evaluate('fanet_ros.stream.ask = () => {}')        # stop querying
    wait(page, 'fanet_ros.stream.isWaiting === false', 'the last answer')
    set_slider(page, '#alpha', 0)
    camera = pixels(page).astype(int)
    set_slider(page, '#alpha', 100)
    mask = pixels(page).astype(int)
    set_slider(page, '#alpha', 50)
    assert np.abs(pixels(page) - (camera + mask) / 2).max() <= 2
    name = page.evaluate('fanet_ros.legend.name(fanet_ros.picture.shares.indexOf(Math.max(...fanet_ros.picture.shares)))')
    labels = np.array(page.evaluate('Array.from(fanet_ros.picture.mask.values)')).reshape(mask.shape[:2])
    number = page.evaluate('fanet_ros.picture.shares.indexOf(Math.max(...fanet_ros.picture.shares))')
    set_slider(page, '#alpha', 100)
    page.click(f'#legend li[data-class="{name}"] .name')
    hidden = pixels(page).astype(int)
    assert np.array_equal(hidden[labels == number], camera[labels == number])
    assert np.array_equal(hidden[labels != number], mask[labels != number])
    page.click(f'#legend li[data-class="{name}"] .name')
    page.eval_on_selector(f'#legend li[data-class="{name}"] input',
                          'swatch => { swatch.value = "#ff00ff"; swatch.dispatchEvent(new Event("input")); }')
    assert (pixels(page)[labels == number] == (255, 0, 255)).all()


def test_pointing_at_a_pixel_shows_its_class_and_confidence(page: Any) -> None:
    page.hover('#picture', position={'x': 200, 'y': 160})
    shown = wait(page, text_of('#probe'), 'the confidence', lambda text: '% sure' in text)
    x, y = (int(word.rstrip(',')) for word in shown.split('x ')[1].split(', y '))
    labels = np.array(page.evaluate('Array.from(fanet_ros.picture.mask.values)')).reshape(120, 160)
    assert shown.startswith(page.evaluate(f'fanet_ros.legend.name({labels[y, x]})'))
    page.click('[data-view=confidence]')
    wait(page, 'Boolean(fanet_ros.picture.confidence)', 'the confidence of all pixels')
    page.click('[data-view=pair]')
    assert pixels(page).shape == (120, 320, 3)


def test_a_refusal_is_shown_with_the_nodes_reason_and_a_change_is_applied(page: Any, street: Street) -> None:
    field = '#all-parameters [data-parameter={}]'.format
    page.click('#all-parameters-box summary')
    for name, value, reason in (('class_filter', 'unicorn', 'unicorn'), ('min_confidence', '7', 'min_confidence')):
        page.fill(f'{field(name)} input', value)
        page.press(f'{field(name)} input', 'Enter')
        shown = wait(page, text_of(f'{field(name)} .answer'), 'the refusal', lambda text: text.startswith('refused'))
        assert reason in shown
        assert page.input_value(f'{field(name)} input') != value
    assert page.is_disabled(f'{field("device")} input')
    page.fill(f'{field("overlay_alpha")} input', '0.25')
    page.press(f'{field("overlay_alpha")} input', 'Enter')
    wait(page, text_of(f'{field("overlay_alpha")} .answer'), 'the answer', lambda text: text == 'applied')
    assert street.client.get_parameters('/segmentation', 'overlay_alpha') == [0.25]


def test_the_resolution_slider_shows_the_expected_latency_and_switches(page: Any) -> None:
    wait(page, f'{ROWS} > 10', 'times')
    set_slider(page, '#scale', 0)
    assert 'input_scale 0.375' in page.text_content('#expected') and 'expected median' in page.text_content('#expected')
    set_slider(page, '#scale', 2, 'change')     # of 0.375, 0.5, 0.75, 1
    wait(page, 'fanet_ros.timing.size()', 'the smaller network', lambda size: size and size[0] * size[1] < 96 * 128)
    set_slider(page, '#scale', 3, 'change')
    wait(page, 'fanet_ros.timing.size()', 'the full one again', lambda size: size == [96, 128])


def test_two_tabs_show_the_same_and_each_others_changes(open_page: Callable[..., Any], street: Street) -> None:
    one, other = open_page(), open_page()
    for page in (one, other):
        wait(page, FRAME, 'a frame')
        wait(page, 'document.querySelectorAll("#main-parameters .parameter").length', 'the parameters')
    field = '#main-parameters [data-parameter=latency_budget_ms] input'
    one.fill(field, '4321')
    one.press(field, 'Enter')
    wait(other, f'document.querySelector({field!r}).value', 'the change of the other', lambda value: value == '4321')
    for page in (one, other):
        since = page.evaluate(FRAME)
        wait(page, FRAME, 'more frames', lambda sequence: sequence > since + 2)
    street.client.set_parameters('/segmentation', latency_budget_ms=0.0)
    wait(one, f'document.querySelector({field!r}).value', 'the change of ros2 param set', lambda value: value == '0')


def test_a_hidden_tab_stops_the_stream_and_the_subscriptions(page: Any, street: Street) -> None:
    # Headless tabs never hide each other: simulate it.
    page.evaluate('Object.defineProperty(document, "hidden", {get: () => window.isHidden ?? false, configurable: true})')
    page.evaluate('window.isHidden = true; document.dispatchEvent(new Event("visibilitychange"))')
    street.client.wait_for(lambda: not street.client.node.count_subscribers('/segmentation/timing'), 'no subscriber')
    since = page.evaluate(LAST)
    page.evaluate('window.isHidden = false; document.dispatchEvent(new Event("visibilitychange"))')
    wait(page, LAST, 'new times', lambda received: received > since)


def test_the_page_waits_for_a_restarted_node_and_shows_it_again(page: Any, street: Street) -> None:
    street.node.stop()
    shown = wait(page, text_of('#hint'), 'the hint', lambda text: 'Waiting for' in text)
    assert 'ros2 launch fanet_ros segmentation.launch.py' in shown and page.text_content('#state') == 'absent'
    since = page.evaluate(LAST)
    street.start_node()
    wait(page, LAST, 'times of the new one', lambda received: received > since)
    wait(page, text_of('#state'), 'its state', lambda text: text == 'active')
    assert page.evaluate('document.getElementById("hint").hidden')


def test_a_node_is_deactivated_and_reactivated_from_the_page(page: Any) -> None:
    page.click('[data-transition=deactivate]')
    wait(page, text_of('#hint'), 'the hint', lambda text: 'activate it' in text)
    page.click('[data-transition=activate]')
    since = page.evaluate(FRAME)
    wait(page, FRAME, 'new frames', lambda sequence: sequence > since)


def test_a_phone_shows_everything_without_scrolling_sideways(open_page: Callable[..., Any]) -> None:
    page = open_page(viewport={'width': 360, 'height': 740}, is_mobile=True, has_touch=True)
    wait(page, FRAME, 'a frame')
    page.click('#all-parameters-box summary')
    wait(page, 'document.querySelectorAll("#all-parameters .parameter").length', 'the parameters')
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
    page.tap('#picture', position={'x': 100, 'y': 60})
    wait(page, text_of('#probe'), 'the probe', lambda text: 'pinned' in text)


def test_the_link_with_the_token_opens_a_read_only_page(open_page: Callable[..., Any], street: Street) -> None:
    link = street.start_dashboard('address:=0.0.0.0')
    address = link.partition('?')[0]
    link = link.replace(address, f'http://127.0.0.1:{address.rstrip("/").rpartition(":")[2]}/')
    stranger = open_page(link.partition('?')[0])
    assert 'needs the link with the token' in stranger.text_content('body')
    assert 'needs the link with the token' in open_page(link[:-1]).text_content('body')
    page = open_page(link)
    assert 'token' not in page.url
    wait(page, FRAME, 'a frame')
    wait(page, 'document.querySelectorAll("#all-parameters .parameter").length', 'the parameters')
    assert page.is_visible('#readonly') and page.is_disabled('#record') and page.is_disabled('#scale')


def test_a_page_opened_while_the_node_is_busy_gets_the_parameters_later(
        open_page: Callable[..., Any], street: Street, tmp_path: Path) -> None:
    os.mkfifo(class_map := tmp_path / 'map.yaml')       # the node waits for its content
    service = street.client.node.create_client(SetParametersAtomically, '/segmentation/set_parameters_atomically')
    street.client.wait_for(service.service_is_ready, 'the service', street.node)
    change = service.call_async(SetParametersAtomically.Request(
        parameters=[Parameter('class_map', value=str(class_map)).to_parameter_msg()]))
    page = open_page()
    statuses: list[int] = []
    page.on('response', lambda answer: answer.url.endswith('/api/parameters') and statuses.append(answer.status))
    deadline = time.monotonic() + TIMEOUT_S
    while len(statuses) < ATTEMPTS:
        assert time.monotonic() < deadline, f'no further attempt to read the parameters after {statuses}'
        page.wait_for_timeout(50)
    assert set(statuses) == {503}

    def is_answered() -> bool:
        with suppress(OSError):         # nobody reads it just now
            os.write(pipe := os.open(class_map, os.O_WRONLY | os.O_NONBLOCK), b'not a class map')
            os.close(pipe)
        return change.done()
    street.client.wait_for(is_answered, 'the refusal', street.node)         # after which nothing announces parameters
    assert not change.result().result.successful
    wait(page, 'document.querySelectorAll("#all-parameters .parameter").length', 'the parameters')


def test_the_page_reports_that_its_dashboard_has_stopped(open_page: Callable[..., Any], street: Street) -> None:
    page = open_page(street.start_dashboard('node:=/nobody'))
    wait(page, text_of('#hint'), 'the hint', lambda text: 'Another node is running' in text and 'node:=/segmentation' in text)
    street.dashboard.stop(signal.SIGTERM)
    wait(page, text_of('#hint'), 'the report of the end', lambda text: 'does not answer' in text)
