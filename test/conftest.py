"""Keep the tests' ROS traffic on this machine and out of every robot's domain."""
import os

# Before anything imports rclpy: the middleware reads these once, and processes that tests start inherit them.
if not os.environ.get('ROS_DOMAIN_ID'):
    # 1 to 100: higher domains reach into the ports that Linux gives to outgoing connections.
    os.environ['ROS_DOMAIN_ID'] = str(1 + os.getpid() % 100)
if os.environ.get('ROS_DISTRO') == 'humble':
    os.environ.setdefault('ROS_LOCALHOST_ONLY', '1')
else:
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
