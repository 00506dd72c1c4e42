"""Where the specification can be read in two ways: which way the oracle reads it. Each is one line to turn."""

#: "two contents under one id set conflicting_event": on the cycle of that event, or on all of the dossier.
A_CONFLICT_MARKS_ITS_OWN_CYCLE = False
#: "all events of that instant": voids among them.
A_VOID_IS_AN_EVENT_OF_ITS_INSTANT = True
#: "come from one source": events that name none come from one.
NO_SOURCE_IS_ONE_SOURCE = True
#: "An optional field that is absent means: as before": the stage of a 1 too, before the start.
A_REGISTRATION_HANDS_ON_ITS_STAGE = True
#: "units": also who held it in a pause only, or for no time.
A_VISIT_WITHOUT_RUNNING_TIME_IS_LISTED = False
#: "a halt: a pause that shows as stopped": for long_pause too.
A_HALT_CAN_BE_A_LONG_PAUSE = True
#: "thresholds …, per limits rule": of the rule that matches, though the event brought a limit of its own.
AN_EVENT_LIMIT_LEAVES_THE_RULE_ITS_NEAR_DUE = False
#: "defaults: near_due (…; not for same_day)": a rule may say otherwise.
A_RULE_MAY_SET_NEAR_DUE_FOR_SAME_DAY = True
#: "no event for 5 wd": a void is one.
A_VOID_IS_A_SIGN_OF_LIFE = True
#: "a date beyond the last confirmed year": of a calendar that has none, also the dates before its first file.
WITHOUT_A_CONFIRMED_YEAR_EVERY_DATE_IS_ESTIMATED = False
#: "held to the due date that the last one ended with": estimated if it was, though its year is decreed by now.
A_CARRIED_DUE_STAYS_ESTIMATED = True
#: "to an earlier instant": to the same instant, which is a later date in the zone of another unit, neither.
AN_EXTENSION_TO_THE_SAME_INSTANT_MOVES = False
