-- trick: PROCEDURE ANALYSE
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan from cards procedure analyse()
