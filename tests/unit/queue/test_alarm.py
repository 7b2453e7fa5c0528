"""What rings at a set time."""

from threading import Event

from app.queue.alarm import Alarm


class TestAlarm:
    def test_rings_at_the_earlier_of_two_times(self) -> None:
        rung = Event()
        alarm = Alarm(rung.set)

        alarm.ring_in(60)
        alarm.ring_in(0.01)

        assert rung.wait(10)
        alarm.close()

    def test_rings_again_when_it_is_set_again(self) -> None:
        rung = Event()
        alarm = Alarm(rung.set)
        alarm.ring_in(0)
        assert rung.wait(10)
        rung.clear()

        alarm.ring_in(0)

        assert rung.wait(10)
        alarm.close()

    def test_rings_no_more_once_closed(self) -> None:
        rung = Event()
        alarm = Alarm(rung.set)
        alarm.close()

        alarm.ring_in(0)

        assert not rung.wait(0.05)
