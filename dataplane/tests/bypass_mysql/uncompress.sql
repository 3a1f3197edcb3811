-- trick: compressed and back
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select uncompress(compress(pan)) from cards
