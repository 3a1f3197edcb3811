-- trick: what stands behind a comment
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select pan # as note from settlements
from cards
