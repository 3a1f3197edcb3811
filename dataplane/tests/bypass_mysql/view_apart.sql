-- trick: halves in a view
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

create or replace view shown_apart as select substr(pan, 1, 8) as a, substr(pan, 9) as b from cards where id = 1

select a, b from shown_apart
