"""
Plays a bag into the perception node, on the bag's own time, and shows the result in RViz.

`ditr run` labels a bag completely and in less time; this is for looking, and for trying parameters as on the robot.
The arguments of ditr_perception.launch.py hold here too.
"""

from pathlib import Path

from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, ThisLaunchFileDir

from launch import LaunchDescription

BOOLEAN = ["true", "false"]

# name, default, choices, description
ARGUMENTS = [
    ("bag", None, None, "Bag to play: a folder of rosbag2, or a file"),
    ("rate", "1.0", None, "Speed of play; below 1 where the node cannot label every scan"),
    ("loop", "false", BOOLEAN, "Start again at the end"),
    ("delay", "3.0", None, "Seconds until the bag starts, in which the model is loaded"),
    ("exit_at_end", "false", BOOLEAN, "End everything 2 s after the end of the bag"),
    ("rviz", "true", BOOLEAN, "Also open RViz"),
]


def generate_launch_description():
    """Start the node on simulated time; the bag follows once the arguments are known."""
    declared = []
    for name, default, choices, description in ARGUMENTS:
        limits = {} if choices is None else {"choices": choices}
        declared.append(DeclareLaunchArgument(name, default_value=default, description=description, **limits))
    node = IncludeLaunchDescription(
        PythonLaunchDescriptionSource([ThisLaunchFileDir(), "/ditr_perception.launch.py"]),
        launch_arguments={"use_sim_time": "true"}.items(),
    )
    return LaunchDescription([*declared, node, OpaqueFunction(function=play)])


def play(context):
    """Return the actions that play the bag."""
    arguments = {name: LaunchConfiguration(name).perform(context).strip() for name, *_ in ARGUMENTS}
    bag = Path(arguments["bag"]).expanduser()
    if not bag.exists():
        raise RuntimeError(f'bag is "{bag}", and there is no such file or folder')
    loop = ["--loop"] if arguments["loop"] == "true" else []
    player = ExecuteProcess(
        cmd=["ros2", "bag", "play", str(bag), "--clock", "100", "--rate", arguments["rate"], *loop],
        name="bag_player",
        output="screen",
    )
    if arguments["exit_at_end"] == "true":
        after = [TimerAction(period=2.0, actions=[EmitEvent(event=Shutdown(reason="the bag has ended"))])]
    else:
        after = [LogInfo(msg="The bag has ended; Ctrl-C ends the node and RViz.")]
    return [
        TimerAction(period=float(arguments["delay"]), actions=[player]),
        RegisterEventHandler(OnProcessExit(target_action=player, on_exit=after)),
    ]
