"""
Starts the perception node, and on request a simulated robot and RViz.

Composable: all topics are relative unless given with a leading slash, so that a launch file of your own can include
this one in a namespace (PushRosNamespace, or the argument `namespace`) and remap its topics (SetRemap).
"""

import os
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix, get_package_share_directory
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

BOOLEAN = ["true", "false"]
PROVIDERS = ["", "auto", "cpu", "cuda", "tensorrt", "webgpu"]
LEVELS = ["debug", "info", "warn", "error", "fatal"]

# name, default, choices, description
ARGUMENTS = [
    (
        "points",
        "",
        None,
        'Topic of the point cloud (sensor_msgs/msg/PointCloud2); empty: what params_file says, or "points"',
    ),
    (
        "cameras",
        "",
        None,
        "Cameras to fuse, as name=image_topic with commas between (front=/camera/front/image_raw); a name alone stands "
        "for <name>/image_raw; camera_info is expected beside each; empty: what params_file says, or none",
    ),
    ("image_transport", "", ["", "raw", "compressed"], "How the images come; empty: what params_file says, or raw"),
    ("model", "", None, "Folder of a model bundle; empty: what params_file says, or the bundled model"),
    ("provider", "", PROVIDERS, "Provider of ONNX Runtime; empty: what params_file says, or auto"),
    ("params_file", "", None, "YAML file with parameters of the node; arguments given here go before it"),
    ("namespace", "", None, "Namespace of the node, its topics, and the simulated robot"),
    (
        "node_name",
        "ditr_perception",
        None,
        "Name of the node; results are <namespace>/<node_name>/points_labelled and so on",
    ),
    (
        "autostart",
        "true",
        BOOLEAN,
        "Configure and activate the managed node at once; otherwise `ros2 lifecycle set` does",
    ),
    ("use_sim_time", "false", BOOLEAN, "Take the time from /clock; the simulated robot then publishes it"),
    ("log_level", "info", LEVELS, "Least severity that is logged"),
    ("simulator", "false", BOOLEAN, "Also publish a simulated robot (LiDAR and front camera), and use its topics"),
    (
        "simulator_rate",
        "2.0",
        None,
        "Scans per second of the simulated robot: 2 is what the bundled model labels on two CPU cores, 10 is real time",
    ),
    ("rviz", "false", BOOLEAN, "Also open RViz"),
    (
        "rviz_config",
        "labelled_cloud.rviz",
        None,
        "Layout of RViz: a file, or one of this package (labelled_cloud.rviz, confidence.rviz, camera_overlay.rviz)",
    ),
    ("fixed_frame", "", None, "Fixed frame of RViz; empty: the layout's, base_link"),
]


def generate_launch_description():
    """Declare the arguments; what they lead to is decided once they are known."""
    declared = []
    for name, default, choices, description in ARGUMENTS:
        limits = {} if choices is None else {"choices": choices}
        declared.append(DeclareLaunchArgument(name, default_value=default, description=description, **limits))
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def start(context):
    """Return the actions that the arguments ask for."""
    arguments = {name: LaunchConfiguration(name).perform(context).strip() for name, *_ in ARGUMENTS}
    simulated = arguments["simulator"] == "true"
    if simulated:
        arguments["points"] = arguments["points"] or "lidar/points"
        if not arguments["cameras"]:
            arguments["cameras"] = "front=camera/front/image_raw"
            arguments["image_transport"] = "compressed"
    cameras = camera_topics(arguments["cameras"])
    sim_time = {"use_sim_time": arguments["use_sim_time"] == "true"}
    files = [str(Path(name).expanduser()) for name in [arguments["params_file"]] if name]
    for name in files:
        if not Path(name).is_file():
            raise RuntimeError(f'params_file is "{name}", and there is no such file')
    common = {
        "package": "ditr_perception",
        "namespace": arguments["namespace"],
        "ros_arguments": ["--log-level", arguments["log_level"]],
        "output": "screen",
    }

    actions = []
    if simulated:
        robot = {"publish_clock": sim_time["use_sim_time"], "rate": float(arguments["simulator_rate"])}
        actions.append(Node(executable="ditr_simulator", name="ditr_simulator", parameters=[robot, *files], **common))
    actions.append(
        Node(
            executable="ditr_perception_node",
            name=arguments["node_name"],
            parameters=[*files, {**node_parameters(arguments, cameras), **sim_time}],
            **common,
        )
    )
    if arguments["rviz"] == "true":
        actions.append(rviz(arguments, cameras, sim_time))
    return actions


def camera_topics(text):
    """Read name=topic pairs; the topic is empty where only a name was given."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    return {name.strip(): topic.strip() for name, _, topic in pairs}


def node_parameters(arguments, cameras):
    """Give only what was asked for, so that the parameter file and the node's defaults hold for the rest."""
    parameters = {"autostart": arguments["autostart"] == "true"}
    for name in ("model", "provider"):
        if arguments[name]:
            parameters[name] = arguments[name]
    if arguments["points"]:
        parameters["clouds.lidar.topic"] = arguments["points"]
    if cameras:
        parameters["camera_names"] = list(cameras)
    for name, topic in cameras.items():
        if topic:
            parameters[f"cameras.{name}.image_topic"] = topic
        if arguments["image_transport"]:
            parameters[f"cameras.{name}.transport"] = arguments["image_transport"]
    return parameters


def rviz(arguments, cameras, sim_time):
    """Open RViz on this node's topics; where it is not installed, say so and let the rest go on."""
    layout = Path(arguments["rviz_config"]).expanduser()
    if not layout.is_file():
        layout = Path(get_package_share_directory("ditr_perception")) / "config" / layout
    if not layout.is_file():
        raise RuntimeError(f'rviz_config is "{arguments["rviz_config"]}", and there is no such layout')
    try:
        get_package_prefix("rviz2")
    except PackageNotFoundError:
        package = f"ros-{os.environ.get('ROS_DISTRO', '<distro>')}-rviz2"
        return LogInfo(
            msg=f"rviz:=true, but RViz is not installed (sudo apt install {package}); all else runs without it."
        )
    # The layouts name the topics of a node /ditr_perception whose camera is called front.
    node = "/" + "/".join(part for part in (arguments["namespace"].strip("/"), arguments["node_name"]) if part)
    topics = {topic: topic for topic in ("points_labelled", "points_filtered")}
    topics["overlay/front"] = f"overlay/{next(iter(cameras), 'front')}"
    return Node(
        package="rviz2",
        executable="rviz2",
        name="rviz2",
        arguments=["-d", str(layout), *(["-f", arguments["fixed_frame"]] if arguments["fixed_frame"] else [])],
        parameters=[sim_time],
        remappings=[(f"/ditr_perception/{theirs}", f"{node}/{ours}") for theirs, ours in topics.items()],
        output="screen",
    )
