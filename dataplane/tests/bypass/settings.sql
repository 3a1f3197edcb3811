-- trick: a setting of one's own, then SHOW
-- expect: denied
-- unlabelled: denied
-- anything: masked
-- decode: digits

select set_config('my.card', pan, false) from cards where id = 1

select current_setting('my.card')

show my.card
