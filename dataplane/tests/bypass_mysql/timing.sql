-- trick: how long it takes
-- expect: denied
-- unlabelled: denied
-- decode: same

select sleep(0.01 * substr(pan, 1, 1)) from cards where id = 1
