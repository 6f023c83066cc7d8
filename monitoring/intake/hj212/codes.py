"""The code tables of HJ 212-2017 (clause 6.6) and what HJ/T 212-2005 names besides."""

from typing import NamedTuple


class Word(NamedTuple):
    """What a code means."""

    zh: str
    en: str


# ST, clause 6.6.1.2
SYSTEMS = {
    "21": Word("地表水质量监测", "surface water quality"),
    "22": Word("空气质量监测", "air quality"),
    "23": Word("声环境质量监测", "noise in the environment"),
    "24": Word("地下水质量监测", "groundwater quality"),
    "25": Word("土壤质量监测", "soil quality"),
    "26": Word("海水质量监测", "sea water quality"),
    "27": Word("挥发性有机物监测", "volatile organic compounds"),
    "31": Word("大气环境污染源", "source of air pollution"),
    "32": Word("地表水体环境污染源", "source of surface water pollution"),
    "33": Word("地下水体环境污染源", "source of groundwater pollution"),
    "34": Word("海洋环境污染源", "source of marine pollution"),
    "35": Word("土壤环境污染源", "source of soil pollution"),
    "36": Word("声环境污染源", "source of noise"),
    "37": Word("振动环境污染源", "source of vibration"),
    "38": Word("放射性环境污染源", "source of radioactivity"),
    "39": Word("工地扬尘污染源", "dust of construction sites"),
    "41": Word("电磁环境污染源", "source of electromagnetic pollution"),
    "51": Word("烟气排放过程监控", "flue gas process"),
    "52": Word("污水排放过程监控", "sewage process"),
    "91": Word("系统交互", "between the systems"),
}

# CN, clause 6.6.5; the same code goes down as a request and comes up as its data.
COMMANDS = {
    "1000": Word("设置超时时间及重发次数", "set time-out and retries"),
    "1011": Word("提取/上传现场机时间", "clock of the station"),
    "1012": Word("设置现场机时间", "set the clock of the station"),
    "1013": Word("现场机时间校准请求", "the station asks for the time"),
    "1061": Word("提取/上传实时数据间隔", "interval of real-time data"),
    "1062": Word("设置实时数据间隔", "set the interval of real-time data"),
    "1063": Word("提取/上传分钟数据间隔", "interval of minute data"),
    "1064": Word("设置分钟数据间隔", "set the interval of minute data"),
    "1072": Word("设置现场机密码", "set the password of the station"),
    "2011": Word("取/上传污染物实时数据", "real-time data"),
    "2012": Word("停止察看污染物实时数据", "stop real-time data"),
    "2021": Word("取/上传设备运行状态数据", "state of the equipment"),
    "2022": Word("停止察看设备运行状态", "stop the state of the equipment"),
    "2031": Word("取/上传污染物日历史数据", "day data"),
    "2041": Word("取/上传设备运行时间日历史数据", "running time of the equipment by day"),
    "2051": Word("取/上传污染物分钟数据", "minute data"),
    "2061": Word("取/上传污染物小时数据", "hour data"),
    "2081": Word("上传数采仪开机时间", "start-up time of the station"),
    "3011": Word("零点校准量程校准", "calibrate zero and span"),
    "3012": Word("即时采样", "sample at once"),
    "3013": Word("启动清洗/反吹", "clean or blow back"),
    "3014": Word("比对采样", "sample for comparison"),
    "3015": Word("超标留样", "keep a sample of what exceeds"),
    "3016": Word("设置采样时间周期", "set the sampling period"),
    "3017": Word("提取/上传采样时间周期", "sampling period"),
    "3018": Word("提取/上传出样时间", "time a sample takes"),
    "3019": Word("提取/上传设备唯一标识", "identity of the equipment"),
    "3020": Word("提取/上传现场机信息", "information of the station"),
    "3021": Word("设置现场机参数", "set parameters of the station"),
    "9011": Word("请求应答", "answer to a request"),
    "9012": Word("执行结果", "result of a request"),
    "9013": Word("通知应答", "answer to a notice"),
    "9014": Word("数据应答", "answer to data"),
}

NOTICES = frozenset({"1013", "2012", "2022"})  # are answered by 9013, data by 9014 (appendix C)

# QnRtn, clause 6.6.2
REQUEST_ANSWERS = {
    1: Word("准备执行请求", "ready to carry it out"),
    2: Word("请求被拒绝", "refused"),
    3: Word("PW 错误", "wrong PW"),
    4: Word("MN 错误", "wrong MN"),
    5: Word("ST 错误", "wrong ST"),
    6: Word("Flag 错误", "wrong Flag"),
    7: Word("QN 错误", "wrong QN"),
    8: Word("CN 错误", "wrong CN"),
    9: Word("CRC 校验错误", "wrong check word"),
    100: Word("未知错误", "unknown error"),
}

# ExeRtn, clause 6.6.3
RESULTS = {
    1: Word("执行成功", "done"),
    2: Word("执行失败，但不知道原因", "failed, no reason known"),
    3: Word("命令请求条件错误", "wrong conditions"),
    4: Word("通讯超时", "timed out"),
    5: Word("系统繁忙不能执行", "busy"),
    6: Word("系统故障", "out of order"),
    100: Word("没有数据", "no data"),
}

# Data flags, clause 6.6.4; those after B are of HJ/T 212-2005 (the digits: air stations).
FLAGS = {
    "N": Word("正常", "normal"),
    "F": Word("停运", "source stopped"),
    "M": Word("维护", "maintenance"),
    "S": Word("手工输入", "entered by hand"),
    "D": Word("故障", "instrument out of order"),
    "C": Word("校准", "calibration"),
    "T": Word("超过测量上限", "over the measuring range"),
    "B": Word("通讯异常", "no communication with the instrument"),
    "P": Word("电源故障", "power failure"),
    "0": Word("校准数据", "calibration"),
    "1": Word("气象参数", "weather"),
    "2": Word("异常数据", "abnormal"),
    "3": Word("正常数据", "normal"),
}
ALARMING_FLAGS = frozenset({"N", "T", "1", "3"})


def may_alarm(flag: str | None) -> bool:
    """Test whether a value under this data flag may raise an alarm; one that no flag came with may."""
    return flag is None or flag in ALARMING_FLAGS


def version_of(flag: int) -> int:
    """Return the edition in the upper six bits of Flag: 0 is 2005, 1 is 2017, more is later (clause 6.3.2)."""
    return flag >> 2


WANTS_ANSWER = 0b01  # bit A
IS_SPLIT = 0b10  # bit D
