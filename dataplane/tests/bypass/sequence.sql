-- trick: a sequence's value
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

create temp sequence held_number

select setval('held_number', pan_number) is null from cards where id = 1

select last_value from held_number

select nextval('held_number'), currval('held_number'), lastval()
