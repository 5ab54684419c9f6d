import pytest
import tensorflow as tf

from tfsemae import devices

SCRIPT = """
import tensorflow as tf
from tfsemae import devices
devices.set_threads(3)
tf.constant(0)
devices.set_threads(3)  # the same again
threading = tf.config.threading
print(threading.get_intra_op_parallelism_threads())
print(threading.get_inter_op_parallelism_threads())
"""


def test_default_is_one_device():
    found = devices.strategy("default")
    assert found.num_replicas_in_sync == 1
    assert not isinstance(found, tf.distribute.MirroredStrategy)


def test_mirrored_takes_all_devices_of_the_machine():
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    found = devices.strategy("mirrored")
    assert isinstance(found, tf.distribute.MirroredStrategy)
    assert found.num_replicas_in_sync == len(tf.config.list_logical_devices(kind))


def test_threads_are_set(run_python):
    ended = run_python("-c", SCRIPT)
    assert (ended.status, ended.out.split()) == (0, ["3", "3"])


def test_threads_can_not_change_once_tensorflow_has_begun():
    tf.constant(0)
    now = tf.config.threading.get_intra_op_parallelism_threads()
    with pytest.raises(ValueError, match=f"Received: threads={now + 1}"):
        devices.set_threads(now + 1)
    assert tf.config.threading.get_intra_op_parallelism_threads() == now


def test_zero_leaves_the_threads_alone():
    tf.constant(0)
    now = tf.config.threading.get_intra_op_parallelism_threads()
    devices.set_threads(0)
    assert tf.config.threading.get_intra_op_parallelism_threads() == now
