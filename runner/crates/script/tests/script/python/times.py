import datetime, time, calendar
from datetime import timedelta, timezone, date
dt = datetime.datetime(2024, 2, 29, 13, 5, 7, 123456, tzinfo=timezone.utc)
print(dt, dt.isoformat(), dt + timedelta(days=366, hours=1), dt.strftime("%Y-%m-%d %H:%M:%S %a %b %j %f %z"), dt.timestamp(), dt.weekday(), dt.isocalendar())
print(datetime.datetime.fromisoformat("2024-01-02T03:04:05+01:00"), datetime.datetime.strptime("02.01.2024 05:06", "%d.%m.%Y %H:%M"), date(2024, 3, 1) - date(2024, 2, 1), date.fromordinal(738000))
print(timedelta(minutes=90), timedelta(seconds=-1), timedelta(days=1, microseconds=5).total_seconds(), timedelta(hours=1) / 2, timedelta(minutes=5) // timedelta(minutes=2), timedelta(1) > timedelta(0), repr(timedelta(seconds=900)), timedelta(seconds=3.5))
print(datetime.datetime.fromtimestamp(0, timezone.utc), datetime.datetime(2024, 1, 1).replace(year=2025), dt.astimezone(timezone(timedelta(hours=2), "X")), dt.time(), datetime.time(1, 2) < datetime.time(1, 3))
print(time.strftime("%Y", time.gmtime(0)), time.gmtime(86400)[:3], calendar.monthrange(2024, 2), calendar.timegm((1970, 1, 2, 0, 0, 0)), time.time() > 1e9, time.monotonic_ns() > 0, time.perf_counter() >= 0, calendar.isleap(1900))
try: datetime.datetime(2024, 13, 1)
except ValueError as e: print(e)
