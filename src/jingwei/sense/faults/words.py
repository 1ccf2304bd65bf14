"""What tells that a sensor is at fault, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.sense.faults.fault import Fault


def described(fault: Fault) -> Text:
    """Return in a sentence what is wrong with a sensor, and by which numbers."""
    told = fault.evidence
    if fault.kind == "silent":
        often = _span(told["usual"])
        return Text(
            f"静默：已 {told['hours']:g} 小时没有观测值（通常每 {often.zh}一次）",
            f"Silent: nothing for {told['hours']:g} hours, where it speaks every {often.en}",
        )
    if fault.kind == "stuck":
        return Text(
            f"卡死：{told['hours']:g} 小时一直是 {told['value']:g}，同时邻近传感器变化了 {told['moved']:.3g}",
            f"Stuck: {told['value']:g} for {told['hours']:g} hours, while its neighbours moved by"
            f" {told['moved']:.3g}",
        )
    if fault.kind == "noisy":
        return Text(
            f"噪声：波动是平时和邻近传感器的 {told['times']:.3g} 倍，已 {told['days']:g} 天",
            f"Noisy: {told['times']:.3g} times as rough as before and as its neighbours, for"
            f" {told['days']:g} days",
        )
    if "spikes" in told:
        return Text(
            f"不可信：{told['days']:.3g} 天内有 {told['spikes']:g} 个小时的值"
            f"偏离 {told['away']:.3g} 倍通常偏差",
            f"Implausible: in {told['spikes']:g} hours of {told['days']:.3g} days values"
            f" {told['away']:.3g} usual deviations off",
        )
    if "late" in told:
        late = told["late"]
        return Text(
            f"漂移：时钟比以往{'晚' if late > 0 else '早'} {abs(late):.2g} 小时（与邻近传感器相比）",
            f"Drifting: its clock is {abs(late):.2g} hours {'later' if late > 0 else 'earlier'} than it was,"
            " beside its neighbours",
        )
    if fault.kind == "drifting":
        return Text(
            f"漂移：{told['days']:g} 天内偏离邻近传感器 {told['away']:+.3g} 倍通常偏差",
            f"Drifting: {told['away']:+.3g} usual deviations away from its neighbours in"
            f" {told['days']:g} days",
        )
    return Text(
        f"不可信：已 {told['days']:g} 天偏离邻近传感器 {told['away']:+.3g} 倍通常偏差",
        f"Implausible: {told['away']:+.3g} usual deviations off its neighbours for {told['days']:g} days",
    )


def _span(hours: float) -> Text:
    if hours >= 1:
        return Text(f"{hours:.3g} 小时", f"{hours:.3g} hours")
    return Text(f"{hours * 60:.2g} 分钟", f"{hours * 60:.2g} minutes")
