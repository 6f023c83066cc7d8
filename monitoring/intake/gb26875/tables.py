"""The code tables of GB/T 26875.3-2011, clause 8: types, systems, components, analog values, and the bits of states."""

from dataclasses import dataclass
from typing import Literal, NamedTuple


class Word(NamedTuple):
    """What a code means."""

    zh: str
    en: str


# Table 2
COMMANDS = {
    1: Word("控制命令", "control"),
    2: Word("发送数据", "data"),
    3: Word("确认", "confirm"),
    4: Word("请求", "request"),
    5: Word("应答", "answer"),
    6: Word("否认", "deny"),
}
CONTROL, DATA, CONFIRM, REQUEST, ANSWER, DENY = COMMANDS

# Table 3
TYPES = {
    1: Word("上传建筑消防设施系统状态", "state of systems"),
    2: Word("上传建筑消防设施部件运行状态", "state of components"),
    3: Word("上传建筑消防设施部件模拟量值", "analog values of components"),
    4: Word("上传建筑消防设施操作信息", "operations at systems"),
    5: Word("上传建筑消防设施软件版本", "software version of a system"),
    6: Word("上传建筑消防设施系统配置情况", "configuration of systems"),
    7: Word("上传建筑消防设施部件配置情况", "configuration of components"),
    8: Word("上传建筑消防设施系统时间", "clock of a system"),
    21: Word("上传用户信息传输装置运行状态", "state of the transmission device"),
    24: Word("上传用户信息传输装置操作信息", "operations at the transmission device"),
    25: Word("上传用户信息传输装置软件版本", "software version of the transmission device"),
    26: Word("上传用户信息传输装置配置情况", "configuration of the transmission device"),
    28: Word("上传用户信息传输装置系统时间", "clock of the transmission device"),
    61: Word("读建筑消防设施系统状态", "read the state of systems"),
    62: Word("读建筑消防设施部件运行状态", "read the state of components"),
    63: Word("读建筑消防设施部件模拟量值", "read analog values of components"),
    64: Word("读建筑消防设施操作信息", "read operations at a system"),
    65: Word("读建筑消防设施软件版本", "read the software version of a system"),
    66: Word("读建筑消防设施系统配置情况", "read the configuration of systems"),
    67: Word("读建筑消防设施部件配置情况", "read the configuration of components"),
    68: Word("读建筑消防设施系统时间", "read the clock of a system"),
    81: Word("读用户信息传输装置运行状态", "read the state of the transmission device"),
    84: Word("读用户信息传输装置操作信息记录", "read operations at the transmission device"),
    85: Word("读用户信息传输装置软件版本", "read the software version of the transmission device"),
    86: Word("读用户信息传输装置配置情况", "read the configuration of the transmission device"),
    88: Word("读用户信息传输装置系统时间", "read the clock of the transmission device"),
    89: Word("初始化用户信息传输装置", "initialise the transmission device"),
    90: Word("同步用户信息传输装置时钟", "set the clock of the transmission device"),
    91: Word("查岗命令", "check the post"),
}

# Table 4; 25-127 are reserved, 128-255 the user's own
SYSTEM_TYPES = {
    0: Word("通用", "general"),
    1: Word("火灾报警系统", "fire alarm system"),
    10: Word("消防联动控制器", "fire linkage controller"),
    11: Word("消火栓系统", "hydrant system"),
    12: Word("自动喷水灭火系统", "sprinkler system"),
    13: Word("气体灭火系统", "gas extinguishing system"),
    14: Word("水喷雾灭火系统（泵启动方式）", "water spray system, started by pump"),
    15: Word("水喷雾灭火系统（压力容器启动方式）", "water spray system, started by pressure vessel"),
    16: Word("泡沫灭火系统", "foam system"),
    17: Word("干粉灭火系统", "powder system"),
    18: Word("防烟排烟系统", "smoke control system"),
    19: Word("防火门及卷帘系统", "fire doors and shutters"),
    20: Word("消防电梯", "fire lift"),
    21: Word("消防应急广播", "emergency broadcast"),
    22: Word("消防应急照明和疏散指示系统", "emergency lighting and exit signs"),
    23: Word("消防电源", "fire power supply"),
    24: Word("消防电话", "fire telephone"),
}

# Table 5; numbers left out are reserved, 128-255 the user's own
COMPONENT_TYPES = {
    0: Word("通用", "general"),
    1: Word("火灾报警控制器", "fire alarm controller"),
    10: Word("可燃气体探测器", "combustible gas detector"),
    11: Word("点型可燃气体探测器", "point combustible gas detector"),
    12: Word("独立式可燃气体探测器", "stand-alone combustible gas detector"),
    13: Word("线型可燃气体探测器", "line combustible gas detector"),
    16: Word("电气火灾监控报警器", "electrical fire monitor"),
    17: Word("剩余电流式电气火灾监控探测器", "residual current detector"),
    18: Word("测温式电气火灾监控探测器", "electrical temperature detector"),
    21: Word("探测回路", "detection loop"),
    22: Word("火灾显示盘", "fire display panel"),
    23: Word("手动火灾报警按钮", "manual call point"),
    24: Word("消火栓按钮", "hydrant button"),
    25: Word("火灾探测器", "fire detector"),
    30: Word("感温火灾探测器", "heat detector"),
    31: Word("点型感温火灾探测器", "point heat detector"),
    32: Word("点型感温火灾探测器（S型）", "point heat detector, type S"),
    33: Word("点型感温火灾探测器（R型）", "point heat detector, type R"),
    34: Word("线型感温火灾探测器", "line heat detector"),
    35: Word("线型感温火灾探测器（S型）", "line heat detector, type S"),
    36: Word("线型感温火灾探测器（R型）", "line heat detector, type R"),
    37: Word("光纤感温火灾探测器", "optical fibre heat detector"),
    40: Word("感烟火灾探测器", "smoke detector"),
    41: Word("点型离子感烟火灾探测器", "point ionisation smoke detector"),
    42: Word("点型光电感烟火灾探测器", "point optical smoke detector"),
    43: Word("线型光束感烟火灾探测器", "beam smoke detector"),
    44: Word("吸气式感烟火灾探测器", "aspirating smoke detector"),
    50: Word("复合式火灾探测器", "combined fire detector"),
    51: Word("复合式感烟感温火灾探测器", "combined smoke and heat detector"),
    52: Word("复合式感光感温火灾探测器", "combined flame and heat detector"),
    53: Word("复合式感光感烟火灾探测器", "combined flame and smoke detector"),
    61: Word("紫外火焰探测器", "ultraviolet flame detector"),
    62: Word("红外火焰探测器", "infrared flame detector"),
    69: Word("感光火灾探测器", "flame detector"),
    74: Word("气体探测器", "gas detector"),
    78: Word("图像摄像方式火灾探测器", "video fire detector"),
    79: Word("感声火灾探测器", "acoustic fire detector"),
    81: Word("气体灭火控制器", "gas extinguishing controller"),
    82: Word("消防电气控制装置", "fire electrical control device"),
    83: Word("消防控制室图形显示装置", "graphic display of the control room"),
    84: Word("模块", "module"),
    85: Word("输入模块", "input module"),
    86: Word("输出模块", "output module"),
    87: Word("输入/输出模块", "input and output module"),
    88: Word("中继模块", "relay module"),
    91: Word("消防水泵", "fire pump"),
    92: Word("消防水箱", "fire water tank"),
    95: Word("喷淋泵", "sprinkler pump"),
    96: Word("水流指示器", "flow switch"),
    97: Word("信号阀", "signal valve"),
    98: Word("报警阀", "alarm valve"),
    99: Word("压力开关", "pressure switch"),
    101: Word("阀驱动装置", "valve actuator"),
    102: Word("防火门", "fire door"),
    103: Word("防火阀", "fire damper"),
    104: Word("通风空调", "ventilation"),
    105: Word("泡沫液泵", "foam pump"),
    106: Word("管网电磁阀", "solenoid valve"),
    111: Word("防烟排烟风机", "smoke control fan"),
    113: Word("排烟防火阀", "smoke fire damper"),
    114: Word("常闭送风口", "closed air inlet"),
    115: Word("排烟口", "smoke vent"),
    116: Word("电控挡烟垂壁", "smoke curtain"),
    117: Word("防火卷帘控制器", "fire shutter controller"),
    118: Word("防火门监控器", "fire door monitor"),
    121: Word("警报装置", "sounder"),
}


@dataclass(frozen=True, slots=True)
class Analog:
    """A quantity of table 6: a raw number of ``parts`` to a unit, valid between two values."""

    zh: str
    en: str
    unit: str
    parts: int
    lowest: float
    highest: float

    def value(self, raw: int) -> float:
        return raw / self.parts

    def is_valid(self, raw: int) -> bool:
        return self.lowest <= self.value(raw) <= self.highest


# Table 6; 13-127 are reserved, 128-255 the user's own
ANALOGS = {
    1: Analog("事件计数", "event count", "", 1, 0, 32000),
    2: Analog("高度", "height", "m", 100, 0, 320),
    3: Analog("温度", "temperature", "°C", 10, -273, 3200),
    4: Analog("压力", "pressure", "MPa", 10, 0, 3200),
    5: Analog("压力", "pressure", "kPa", 10, 0, 3200),
    6: Analog("气体浓度", "gas concentration", "%LEL", 10, 0, 100),
    7: Analog("时间", "time", "s", 1, 0, 32000),
    8: Analog("电压", "voltage", "V", 10, 0, 3200),
    9: Analog("电流", "current", "A", 10, 0, 3200),
    10: Analog("流量", "flow", "L/s", 10, 0, 3200),
    11: Analog("风量", "air volume", "m³/min", 10, 0, 3200),
    12: Analog("风速", "air speed", "m/s", 1, 0, 20),
}

Kind = Literal["fire", "fault", "shield", "supervise", "act", "note"]


class Bit(NamedTuple):
    """What a bit tells when it is set."""

    key: str
    kind: Kind  # what follows from it: an alarm, a fault, a part out of watch, an equipment in action, or a note
    zh: str
    en: str


# Figures 6, 7 and 13. Bit 0 is the one whose *absence* tells something: 0 is a test.
TEST = Bit("test", "note", "测试", "test")
_COMMON = {
    1: Bit("fire", "fire", "火警", "fire"),
    2: Bit("fault", "fault", "故障", "fault"),
    3: Bit("shielded", "shield", "屏蔽", "shielded"),
    4: Bit("supervised", "supervise", "监管", "supervised"),
    5: Bit("started", "act", "启动（开启）", "started (open)"),
    6: Bit("feedback", "act", "反馈", "feedback"),
    7: Bit("delayed", "note", "延时", "delayed"),
}
SYSTEM_BITS = {
    **_COMMON,
    8: Bit("main_power_fault", "fault", "主电故障", "main power fault"),
    9: Bit("standby_power_fault", "fault", "备电故障", "standby power fault"),
    10: Bit("bus_fault", "fault", "总线故障", "bus fault"),
    11: Bit("manual", "note", "手动状态", "manual"),
    12: Bit("configuration_changed", "note", "配置改变", "configuration changed"),
    13: Bit("reset", "note", "复位", "reset"),
}
COMPONENT_BITS = {**_COMMON, 8: Bit("power_fault", "fault", "电源故障", "power fault")}
DEVICE_BITS = {
    1: Bit("fire", "fire", "火警", "fire"),
    2: Bit("fault", "fault", "故障", "fault"),
    3: Bit("main_power_fault", "fault", "主电故障", "main power fault"),
    4: Bit("standby_power_fault", "fault", "备电故障", "standby power fault"),
    5: Bit("channel_fault", "fault", "与监控中心通信信道故障", "fault of the channel to the centre"),
    6: Bit("line_fault", "fault", "监测连接线路故障", "fault of the monitored line"),
}
STATE_BITS = {1: SYSTEM_BITS, 2: COMPONENT_BITS, 21: DEVICE_BITS}  # by type

_OPERATIONS = {
    0: Bit("reset", "note", "复位", "reset"),
    1: Bit("silence", "note", "消音", "silence"),
    2: Bit("manual_alarm", "fire", "手动报警", "manual alarm"),
    3: Bit("alarm_cleared", "note", "警情消除", "alarm cleared"),
    4: Bit("self_test", "note", "自检", "self-test"),
    6: Bit("test", "note", "测试", "test"),
}
OPERATION_BITS = {  # by type
    4: {**_OPERATIONS, 5: Bit("confirmed", "note", "确认", "confirmed")},
    24: {**_OPERATIONS, 5: Bit("post_answered", "note", "查岗应答", "post check answered")},
}
