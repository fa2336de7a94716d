"""ROS 2 nodes: the only place where rclpy and message packages are imported."""
