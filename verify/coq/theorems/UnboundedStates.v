(* What if the integer part of a state is not bounded, as in a counter?  Then what is still true: a REGULAR language
   that nonnegative gates recognise is noncounting, so star-free, provided that finitely many features enter each layer
   and that

     - a coordinate that may grow without bound has gates 0 and 1 only (nothing scales what it has grown to), and
     - phi settles: where growing coordinates go along a straight line and the others rest, it gives the same features
     from some point on. (phi = floor(h / 2) mod 2 does not, and recognises PARITY: NoneCanBeLeftOut.v.)

   AuditedModels.v shows that these hold of every model that the audit of this project passes in fixed:p. Without
   "regular" less is true, and must be: Dyck-1 and a^n b^n are not noncounting in a uniform sense, and counters do
   recognise them. *)
From Verify.theorems Require Import NonnegativeGates.
From Verify.theorems Require Parity.
Require Import ZArith List Bool Lia Arith.
Import ListNotations.
Open Scope Z_scope.

Definition eventually {A} (f g : nat -> A) := exists N, forall n, (N <= n)%nat -> f n = g n.
Definition settled {A} (f : nat -> A) := exists N, constant_from N f.

(* -- the hypotheses ------------------------------------------------------------------------------------------------ *)

(* What an input does to one coordinate. That it grows: its gate is 1, or 0. That it does not: as in
   NonnegativeGates.v. *)
Definition kind (low high : Z) (grows : bool) (f : Z -> Z) : Prop :=
  if grows then (exists c, forall v, f v = v + c) \/ (exists c, forall v, f v = c)
  else monotone f /\ forall v, within low high (f v).

(* States along straight lines a n + b, where a = 0 for the coordinates that do not grow. *)
Definition line (cs : list (Z * Z)) (n : nat) : list Z := map (fun ab => fst ab * Z.of_nat n + snd ab) cs.
Definition steady (grows : list bool) (cs : list (Z * Z)) := forall i, nth i grows false = false ->
  fst (nth i cs (0, 0)) = 0.

Section Models.
Variables Symbol Feature Output : Type.
Notation layer := (layer Feature).
Variables low high : Z.

Definition settles (grows : list bool) (f : list Z -> Feature -> Feature) :=
  forall cs x, steady grows cs -> settled (fun n => f (line cs n) x).
Definition drifts (l : layer) := exists grows,
  (forall x, Forall2 (kind low high) grows (maps _ l x)) /\ settles grows (phi _ l).

(* -- one coordinate ------------------------------------------------------------------------------------------------ *)

Lemma steady_cons g grows a b cs : steady (g :: grows) ((a, b) :: cs) <-> (g = false -> a = 0) /\ steady grows cs.
Proof.
  split.
  - intro S. split; [exact (S 0%nat)|]. intros i I. exact (S (Datatypes.S i) I).
  - intros [S1 S2] [|i] I; [exact (S1 I)|exact (S2 i I)].
Qed.
Lemma steady_nil grows : steady grows [].
Proof. intros [|i] _; reflexivity. Qed.

Lemma kind_compose g f f' : kind low high g f -> kind low high g f' -> kind low high g (fun v => f' (f v)).
Proof.
  destruct g; simpl.
  - intros [[c C]|[c C]] [[d D]|[d D]].
    + left; exists (c + d); intro; rewrite D, C; lia.
    + right; exists d; intro; rewrite D; lia.
    + right; exists (c + d); intro; rewrite D, C; lia.
    + right; exists d; intro; rewrite D; lia.
  - intros [M K] [M' K']. split; [intros v w H; apply M', M, H|auto].
Qed.
Lemma kind_line g f a b : kind low high g f -> (g = false -> a = 0) ->
  exists a' b', (g = false -> a' = 0) /\ forall n, f (a * Z.of_nat n + b) = a' * Z.of_nat n + b'.
Proof.
  intros K S. destruct g; simpl in K.
  - destruct K as [[c C]|[c C]].
    + exists a, (b + c). split; [discriminate|]. intro n. rewrite C. lia.
    + exists 0, c. split; [discriminate|]. intro n. rewrite C. lia.
  - exists 0, (f b). rewrite (S eq_refl). split; [reflexivity|]. intro n. rewrite !Z.mul_0_l, !Z.add_0_l. reflexivity.
Qed.
Lemma kind_iter g f v : kind low high g f ->
  exists a b, (g = false -> a = 0) /\ eventually (fun n => Nat.iter n f v) (fun n => a * Z.of_nat n + b).
Proof.
  intro K. destruct g; simpl in K.
  - destruct K as [[c C]|[c C]].
    + exists c, v. split; [discriminate|]. exists 0%nat. intros n _. induction n as [|n IH]; [simpl; lia|].
        simpl Nat.iter. rewrite C, IH. lia.
    + exists 0, c. split; [discriminate|]. exists 1%nat. intros [|n] N; [lia|]. simpl. rewrite C. lia.
  - destruct K as [M L]. set (N := Z.to_nat (high - low)).
    exists 0, (Nat.iter (S N) f v). split; [reflexivity|]. exists (S N). intros n H. rewrite Z.mul_0_l, Z.add_0_l.
    assert (R : forall n, Nat.iter (S n) f v = Nat.iter n f (f v)) by (induction n0; simpl in *; congruence).
    induction H as [|n H IH]; [reflexivity|]. rewrite <- IH. destruct n as [|n]; [lia|]. rewrite !R.
    change (Nat.iter (S n) f (f v)) with (f (Nat.iter n f (f v))).
    apply at_rest with (low := low) (high := high); [exact M|intros w _; apply L|apply L|unfold N in H; lia].
Qed.

(* -- one layer ----------------------------------------------------------------------------------------------------- *)

Lemma compose_kinds grows : forall fs gs, Forall2 (kind low high) grows fs -> Forall2 (kind low high) grows gs ->
  Forall2 (kind low high) grows (compose fs gs).
Proof.
  unfold compose; induction grows as [|g grows IH]; intros fs gs F G; inversion F; inversion G; subst; simpl;
    constructor; auto.
  apply kind_compose; assumption.
Qed.
Lemma pointwise_line grows : forall fs cs, Forall2 (kind low high) grows fs -> steady grows cs ->
  exists cs', steady grows cs' /\ forall n, pointwise fs (line cs n) = line cs' n.
Proof.
  induction grows as [|g grows IH]; intros fs cs F S; inversion F; subst.
  - exists []. split; [apply steady_nil|reflexivity].
  - destruct cs as [|[a b] cs]; [exists []; split; [apply steady_nil|reflexivity]|].
    apply steady_cons in S as [S1 S2]. destruct (IH _ cs ltac:(eassumption) S2) as (cs' & S' & E).
    destruct (kind_line g _ a b ltac:(eassumption) S1) as (a' & b' & Z' & E').
    exists ((a', b') :: cs'). split; [apply steady_cons; auto|]. intro n. unfold pointwise, line in *. simpl.
      rewrite E', E. reflexivity.
Qed.
Lemma pointwise_iter grows : forall fs h, Forall2 (kind low high) grows fs -> (length h <= length fs)%nat ->
  exists cs, steady grows cs /\ eventually (fun n => Nat.iter n (pointwise fs) h) (line cs).
Proof.
  intros fs h F L.
  assert (G : exists cs, steady grows cs
    /\ eventually (fun n => map (fun fv => Nat.iter n (fst fv) (snd fv)) (combine fs h)) (line cs)).
  { clear L. revert fs h F. induction grows as [|g grows IH]; intros fs h F; inversion F; subst.
    - exists []. split; [apply steady_nil|]. exists 0%nat. reflexivity.
    - destruct h as [|v h]; [exists []; split; [apply steady_nil|exists 0%nat; reflexivity]|].
      destruct (IH _ h ltac:(eassumption)) as (cs & S & N1 & E1).
        destruct (kind_iter g _ v ltac:(eassumption)) as (a & b & S' & N2 & E2).
      exists ((a, b) :: cs). split; [apply steady_cons; auto|]. exists (Nat.max N1 N2). intros n N. unfold line in *.
        simpl.
      rewrite E1, E2 by lia. reflexivity. }
  destruct G as (cs & S & N & E). exists cs. split; [exact S|]. exists N. intros n H. rewrite iter_pointwise by exact L.
    apply E, H.
Qed.

Lemma after_kinds grows l : (forall x, Forall2 (kind low high) grows (maps _ l x)) -> forall xs, xs <> [] ->
  exists fs, Forall2 (kind low high) grows fs /\ forall h, after Feature l h xs = pointwise fs h.
Proof.
  intros K. induction xs as [|x xs IH]; [congruence|]. intros _. destruct xs as [|y xs]; [exists (maps _ l x); auto|].
  destruct IH as (fs & F & E); [discriminate|]. exists (compose (maps _ l x) fs). split; [apply compose_kinds; auto|].
  intro h. rewrite <- pointwise_compose. exact (E (update _ l h x)).
Qed.

Definition tame (grows : list bool) (H : nat -> list Z) := exists cs, steady grows cs /\ eventually H (line cs).

Lemma line_later cs k : exists cs', (forall grows, steady grows cs -> steady grows cs') /\ forall n,
  line cs n = line cs' (k + n).
Proof.
  exists (map (fun ab => (fst ab, snd ab - fst ab * Z.of_nat k)) cs). split.
  - intros grows S i I. specialize (S i I). revert S. clear. revert i.
      induction cs as [|[a b] cs IH]; intros [|i]; simpl; auto.
  - intro n. unfold line. rewrite map_map. apply map_ext. intros [a b]. simpl. lia.
Qed.
Lemma line_constant h n : line (map (pair 0) h) n = h.
Proof. unfold line. rewrite map_map. simpl. apply map_id. Qed.
Lemma steady_constant grows h : steady grows (map (pair 0) h).
Proof. intros i _. revert i; induction h as [|v h IH]; intros [|i]; simpl; auto. Qed.

Lemma state_tame grows l h block : (forall x, Forall2 (kind low high) grows (maps _ l x)) -> settled block ->
  tame grows (state Feature l h block).
Proof.
  intros K [k C]. destruct (block k) as [|x xs] eqn:B.
  - exists (map (pair 0) (state _ l h block k)). split; [apply steady_constant|]. exists k. intros n N.
      rewrite line_constant.
    induction N as [|n N IH]; [reflexivity|]. simpl. rewrite (C n N), B. exact IH.
  - destruct (after_kinds grows l K (x :: xs)) as (fs & F & E); [discriminate|].
    set (h1 := state _ l h block (S k)).
    assert (L : (length h1 <= length fs)%nat) by (unfold h1; cbn [state]; rewrite B, E; apply pointwise_length).
    assert (I : forall n, state _ l h block (S k + n) = Nat.iter n (pointwise fs) h1).
    { induction n as [|n IH]; [rewrite Nat.add_0_r; reflexivity|]. rewrite Nat.add_succ_r.
      change (after _ l (state _ l h block (S k + n)) (block (S k + n)%nat)
        = pointwise fs (Nat.iter n (pointwise fs) h1)).
      rewrite (C (S k + n)%nat) by lia. rewrite B, E, IH. reflexivity. }
    destruct (pointwise_iter grows fs h1 F L) as (cs & S & N & G).
      destruct (line_later cs (Datatypes.S k)) as (cs' & S' & E').
    exists cs'. split; [apply S', S|]. exists (Datatypes.S k + N)%nat. intros n H.
    replace n with (Datatypes.S k + (n - Datatypes.S k))%nat by lia. rewrite I, <- E'. apply G. lia.
Qed.

Lemma emits_settled grows l : (forall x, Forall2 (kind low high) grows (maps _ l x)) -> settles grows (phi _ l) ->
  forall xs H, tame grows H -> settled (fun n => emits Feature l (H n) xs).
Proof.
  intros K P. induction xs as [|x xs IH]; intros H (cs & S & N & E).
  - exists 0%nat. intros n _. reflexivity.
  - destruct (pointwise_line grows _ cs (K x) S) as (cs' & S' & E').
    assert (U : forall n, (N <= n)%nat -> update _ l (H n) x = line cs' n)
      by (intros n L; unfold update; rewrite E by exact L; apply E').
    destruct (P cs' x S') as [N1 C1].
    destruct (IH (fun n => update _ l (H n) x)) as [N2 C2]; [exists cs'; split; [exact S'|exists N; exact U]|].
    exists (Nat.max N (Nat.max N1 N2)). intros n L. simpl. f_equal.
    + rewrite !U by lia. rewrite (C1 n) by lia. symmetry. apply (C1 (Nat.max N (Nat.max N1 N2))). lia.
    + rewrite (C2 n) by lia. symmetry. apply (C2 (Nat.max N (Nat.max N1 N2))). lia.
Qed.

(* -- all layers ---------------------------------------------------------------------------------------------------- *)

Lemma all_settled : forall ls hs block next, Forall drifts ls -> settled block -> settled next ->
  settled (fun n => emits_all Feature ls (states Feature ls hs block n) (next n)).
Proof.
  induction ls as [|l ls IH]; intros [|h hs] block next D B [k Y].
  1, 2: exists k; intros n N; simpl; auto.
  - exists k. intros n N. assert (E : forall n, states Feature (l :: ls) [] block n = [])
      by (induction n0; simpl; [|rewrite IHn0]; reflexivity).
    rewrite !E. simpl. auto.
  - inversion D as [|? ? (grows & K & P) D']; subst.
    assert (T := state_tame grows l h block K B).
    assert (later : forall z, settled z -> settled (fun n => emits _ l (state _ l h block n) (z n))).
    { intros z [j J]. destruct (emits_settled grows l K P (z j) _ T) as [N C]. exists (Nat.max j N). intros n L.
      rewrite (J n) by lia. rewrite (J (Nat.max j N)) by lia. rewrite (C n) by lia. symmetry. apply C. lia. }
    destruct (IH hs (fun n => emits _ l (state _ l h block n) (block n))
      (fun n => emits _ l (state _ l h block n) (next n)) D'
      (later _ B) (later next (ex_intro _ k Y))) as [N C].
    exists N. intros n L. rewrite !states_cons. cbn [emits_all]. exact (C n L).
Qed.

(* After u w^n v the output is the same for all large n; how large may depend on u, w and v. *)
Theorem repetition_is_forgotten_in_the_end (m : model Symbol Feature Output) : Forall drifts (layers m) ->
  forall u w v, exists N, forall n, (N <= n)%nat -> output m (u ++ power w (S n) ++ v) = output m (u ++ power w n ++ v).
Proof.
  intros D u w v.
  assert (A : forall y, settled (fun n => emits_all _ (layers m)
     (states _ (layers m) (after_all _ (layers m) (fst (start _ _ _ m)) (map (embedding _ _ _ m) u))
       (fun _ => map (embedding _ _ _ m) w) n)
     (map (embedding _ _ _ m) y))) by (intro y; apply all_settled; [exact D| |]; exists 0%nat; intros n _; reflexivity).
  destruct (A v) as [N1 C1]. destruct (A w) as [N2 C2]. exists (S (Nat.max N1 N2)).
  apply settled_output. intros y Y n N. destruct Y as [-> | ->].
  - rewrite (C1 n) by lia. symmetry. apply C1. lia.
  - rewrite (C2 n) by lia. symmetry. apply C2. lia.
Qed.
End Models.
Print Assumptions repetition_is_forgotten_in_the_end.

(* -- regular languages --------------------------------------------------------------------------------------------- *)

(* Some finite automaton accepts the language; [all] lists its states. *)
Definition regular {Symbol} (L : list Symbol -> Prop) : Prop :=
  exists (Q : Type) (same : forall p q : Q, {p = q} + {p <> q}) (all : list Q) (next : Q -> Symbol ->
    Q) (first : Q) (accepts : Q -> bool),
    (forall q, In q all) /\ forall w, L w <-> accepts (fold_left next w first) = true.

Lemma repeats {Q} (same : forall p q : Q, {p = q} + {p <> q}) (all : list Q) (run : nat -> Q) : (forall q, In q all) ->
  exists i d, (i + d <= length all)%nat /\ (0 < d)%nat /\ run (i + d)%nat = run i.
Proof.
  intro complete.
  assert (dup : forall l : list Q, ~ NoDup l -> exists i j, (i < j < length l)%nat /\ forall d, nth i l d = nth j l d).
  { induction l as [|q l IH]; intro D; [contradiction D; constructor|]. destruct (in_dec same q l) as [I|I].
    - apply (In_nth l q q) in I as (j & J & E). exists 0%nat, (S j). simpl. split; [lia|]. intro d. rewrite <- E.
        apply nth_indep, J.
    - destruct IH as (i & j & B & E); [intro N; apply D; constructor; assumption|]. exists (S i), (S j). simpl.
        split; [lia|exact E]. }
  destruct (dup (map run (seq 0 (S (length all))))) as (i & j & B & E).
  - intro N. assert (C : (length (map run (seq 0 (S (length all)))) <= length all)%nat)
      by (apply NoDup_incl_length; [exact N|intros q _; apply complete]). rewrite map_length, seq_length in C. lia.
  - rewrite map_length, seq_length in B. exists i, (j - i)%nat. split; [lia|]. split; [lia|].
      replace (i + (j - i))%nat with j by lia.
    specialize (E (run 0%nat)). rewrite !map_nth, !seq_nth in E by lia. symmetry. exact E.
Qed.

Theorem regular_and_settling_is_noncounting : forall Symbol (L : list Symbol -> Prop), regular L ->
  (forall u w v, exists N, forall n, (N <= n)%nat -> (L (u ++ power w (S n) ++ v) <-> L (u ++ power w n ++ v))) ->
    noncounting L.
Proof.
  intros Symbol L (Q & same & all & next & first & accepts & complete & A) settles. exists (length all).
    intros u w v n N.
  set (q := fun n => fold_left next (power w n) (fold_left next u first)).
  set (a := fun n => accepts (fold_left next v (q n))).
  assert (M : forall n, L (u ++ power w n ++ v) <-> a n = true) by (intro k; rewrite A, !fold_left_app; reflexivity).
  destruct (repeats same all q complete) as (i & d & B & D & E).
  assert (step : forall n, q (S n) = fold_left next w (q n))
    by (intro k; unfold q; rewrite power_snoc, fold_left_app; reflexivity).
  assert (P1 : forall k, q (i + d + k)%nat = q (i + k)%nat).
  { induction k as [|k IH]; [rewrite !Nat.add_0_r; exact E|]. rewrite !Nat.add_succ_r, !step, IH. reflexivity. }
  assert (P : forall k c, (i <= k)%nat -> a (k + c * d)%nat = a k).
  { intros k c K. unfold a. do 2 f_equal. induction c as [|c IH]; [rewrite Nat.add_0_r; reflexivity|]. rewrite <- IH.
    replace (k + S c * d)%nat with (i + d + (k + c * d - i))%nat by lia. rewrite P1. f_equal. lia. }
  destruct (settles u w v) as [N' S].
  assert (C : a (Datatypes.S n) = a n).
  { rewrite <- (P (Datatypes.S n) N'), <- (P n N') by lia. specialize (S (n + N' * d)%nat ltac:(nia)). rewrite !M in S.
    simpl plus. destruct (a (Datatypes.S (n + N' * d))), (a (n + N' * d)%nat); intuition congruence. }
  rewrite !M, C. reflexivity.
Qed.
Print Assumptions regular_and_settling_is_noncounting.

(* THEOREM 2 and the half of Theorem 4 that limits, with unbounded integers. *)
Theorem nonnegative_recognises_only_star_free : forall Symbol Feature Output (m : model Symbol Feature Output) test L
  low high,
  Forall (drifts Feature low high) (layers m) -> recognises m test L -> regular L -> noncounting L.
Proof.
  intros S F O m test L low high D R reg. apply regular_and_settling_is_noncounting; [exact reg|]. intros u w v.
  destruct (repetition_is_forgotten_in_the_end S F O low high m D u w v) as [N E]. exists N. intros n H.
    specialize (E n H).
  split; intro X; apply R; apply R in X; congruence.
Qed.
Print Assumptions nonnegative_recognises_only_star_free.

Theorem no_unbounded_nonnegative_model_recognises_parity : forall Feature Output (m : model bool Feature Output) test
  low high,
  Forall (drifts Feature low high) (layers m) -> ~ recognises m test Parity.parity.
Proof.
  intros F O m test low high D R.
  destruct (repetition_is_forgotten_in_the_end bool F O low high m D [] [true] []) as [N E]. specialize (E N (le_n N)).
  cbn [app] in E. rewrite !app_nil_r in E. assert (A := R (power [true] N)). assert (B := R (power [true] (S N))).
  rewrite Parity.parity_of_ones in A, B. rewrite E, Nat.Even_succ in B.
  destruct (Nat.Even_or_Odd N); apply (Nat.Even_Odd_False N); tauto.
Qed.
Print Assumptions no_unbounded_nonnegative_model_recognises_parity.
