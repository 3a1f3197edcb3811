-- trick: a name defined anew
-- expect: denied
-- unlabelled: denied
-- anything: out-of-reach
-- decode: joined

prepare p as select 1

deallocate p

prepare p as select substr(pan, 1, 8), substr(pan, 9) from cards where id = 1

execute p
